"""Webhooks: public events sent to systems without Kafka, signed and in order."""
