"""What others make of contracts/ with tools of their own: `make test-clients` gets them."""
