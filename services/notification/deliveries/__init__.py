"""What a delivery is, what can happen to it, and what follows from that."""
