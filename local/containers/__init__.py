"""What docker-compose.yml does once before the services start: secrets, databases, topics."""
