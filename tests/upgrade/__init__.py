"""An upgrade with running traffic: `make test-upgrade`."""
