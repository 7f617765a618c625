"""The e-mail channel: SMTP connections that are kept, and what a server's replies mean."""
