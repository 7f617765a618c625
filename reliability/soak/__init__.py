"""Hours of mixed load: whatever grows without being data is found (`make soak`)."""
