"""The daily mail that tells a practice how much is open: taken over, composed, sent once."""
