"""What runs in pods outside: users, and what stands in for servers elsewhere."""
