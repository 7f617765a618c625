"""Mail: SMTP connections that stay open, and what a server's replies mean."""
