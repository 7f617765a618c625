"""How fast, as ratios within one run: numbers of different machines are not comparable."""
