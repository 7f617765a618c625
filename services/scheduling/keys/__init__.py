"""What other systems log in with: keys, and the tokens that they are exchanged for."""
