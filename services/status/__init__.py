"""What became of each invitation: indicators folded from events, queried or followed live."""
