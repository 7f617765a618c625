"""Whether the other side can have received the request of a failed HTTP call."""

import httpx

# What httpx raises before the first byte of a request is written. From any other of its
# TransportErrors nothing follows: the request may have been acted on.
NOT_SENT: tuple[type[httpx.TransportError], ...] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
