"""Setting up practices and keys: the operator's command line and API."""
