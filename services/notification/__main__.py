"""Entry point: `python -m services.notification`."""

from chassis.service import load, serve
from services.notification.app import build
from services.notification.settings import Settings

settings = load(Settings, name="notification")
serve(build(settings), settings, name="notification")
