"""The SMS channel: gateways behind one interface, fail-over between them, their receipts."""
