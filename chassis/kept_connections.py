"""For how long a kept HTTP connection that is idle is used again."""

# Seconds. Servers of many kinds close after 5, uvicorn's among them: a request on a connection that
# is just being closed fails, and nobody knows whether it was heard.
USED_AGAIN_WITHIN = 2.0
