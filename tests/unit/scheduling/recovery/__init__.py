"""What is learnt after a restore."""
