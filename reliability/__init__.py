"""What proves the promises over hours, and against faults: `make soak`, `make faults`."""

# Whose promises are checked: webhooks has queues of its own that nobody's indicator depends on.
SERVICES = ("scheduling", "notification", "status")
