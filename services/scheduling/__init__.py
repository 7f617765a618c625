"""Scheduling: appointments, their invitations and links."""
