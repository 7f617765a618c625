"""Entry point: `python -m services.notification`."""

from chassis.service import serve
from services.notification.app import build
from services.notification.settings import Settings

settings = Settings()
serve(build(settings), settings, name="notification")
