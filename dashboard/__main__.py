"""Entry point: `python -m dashboard`."""

from chassis.service import load, serve
from dashboard.app import build
from dashboard.dependencies import Dashboard
from dashboard.settings import Settings

settings = load(Settings, name="dashboard")
app = build(settings)


def end_streams() -> None:
    """By themselves live streams never end; they end before open requests are waited for."""
    Dashboard.of(app).upstreams.end_streams()


serve(app, settings, name="dashboard", before_shutdown=end_streams)
