"""Versions; by `make generate`."""

VERSION = "0.2.0"  # of this package and of the product it was released with
CONTRACTS = "1.1.0"  # of the APIs and events, as their info.version says
