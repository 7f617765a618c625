"""Entry point: `python -m dashboard`."""

import chassis.quick_start  # noqa: F401 - first of all
from chassis.service import load, serve
from dashboard.app import build
from dashboard.settings import Settings

settings = load(Settings, name="dashboard")
app = build(settings)


def end_streams() -> None:
    """By themselves live streams never end; they end before open requests are waited for."""
    app.state.services.streams.end_all()


serve(app, settings, name="dashboard", before_shutdown=end_streams)
