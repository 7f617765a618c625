"""The microservice chassis: what every service needs and none of them is about."""
