"""The version of the contracts, of events and APIs alike (docs/versions.md)."""

VERSION = "1.1.0"
