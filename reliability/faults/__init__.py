"""Faults under load, from a seed, and whether every promise held (`make faults`)."""
