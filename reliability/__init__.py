"""What proves the promises over hours, and against faults: `make soak`, `make faults`."""
