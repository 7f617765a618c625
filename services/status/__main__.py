"""Entry point: `python -m services.status`."""

import chassis.quick_start  # noqa: F401 - first of all
from chassis.service import load, serve
from services.status.app import build
from services.status.settings import Settings

settings = load(Settings, name="status")
app = build(settings)


def end_streams() -> None:
    """By themselves live streams never end; they end before open requests are waited for."""
    app.state.services.feeds.close()


serve(app, settings, name="status", before_shutdown=end_streams)
