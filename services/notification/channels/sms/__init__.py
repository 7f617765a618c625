"""The SMS channel: texts, gateways behind one interface, fail-over between them, receipts."""
