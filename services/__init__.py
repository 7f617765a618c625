"""The domain services. They share contracts and chassis, never each other."""
