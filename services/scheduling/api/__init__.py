"""HTTP in: every route of the service, and what routes share."""
