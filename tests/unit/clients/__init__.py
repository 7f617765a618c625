"""Of clients/."""
