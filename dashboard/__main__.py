"""Entry point: `python -m dashboard`."""

import socket

import uvicorn

from chassis import logs, tracing
from dashboard.app import build
from dashboard.settings import Settings

SHUTDOWN_TIMEOUT = 10  # seconds for open requests

settings = Settings()
app = build(settings)


class Server(uvicorn.Server):
    """By themselves live streams never end; they end before open requests are waited for."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking requests and wait for those that are open."""
        app.state.upstreams.end_streams()
        await super().shutdown(sockets)


logs.configure("dashboard", settings.log_level)
tracing.configure("dashboard")
Server(
    uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )
).run()
