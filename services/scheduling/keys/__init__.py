"""Keys: what an operator and a clinic's own system show who they are by, and what for."""
