"""Traces of the observed demo: taken in by OTLP over HTTP, and shown. For one machine alone."""
