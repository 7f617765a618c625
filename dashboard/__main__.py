"""Entry point: `python -m dashboard`."""

from chassis.service import load, serve
from dashboard.app import build
from dashboard.settings import Settings

settings = load(Settings, name="dashboard")
app = build(settings)
# By themselves live streams never end; they end before open requests are waited for.
serve(app, settings, name="dashboard", before_shutdown=app.state.upstreams.end_streams)
