"""What crosses a service boundary: the events, their topics, and how they look on the wire."""
