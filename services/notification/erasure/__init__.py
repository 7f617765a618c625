"""What is forgotten of erased appointments, in the database and in Kafka."""
