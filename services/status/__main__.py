"""Entry point: `python -m services.status`."""

from chassis.service import load, serve
from services.status.app import build
from services.status.settings import Settings

settings = load(Settings, name="status")
app = build(settings)
# By themselves live streams never end; they end before open requests are waited for.
serve(app, settings, name="status", before_shutdown=app.state.feeds.close)
