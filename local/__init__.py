"""The embedded stack for one machine: Kafka, PostgreSQL and a mailbox without containers."""
