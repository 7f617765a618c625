"""What comes back after a message was handed over, and to which delivery it belongs."""
