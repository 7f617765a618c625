"""Entry point: `python -m services.notification`."""

import chassis.quick_start  # noqa: F401 - first of all
from chassis.service import load, serve
from services.notification.app import build
from services.notification.settings import Settings

settings = load(Settings, name="notification")
serve(build(settings), settings, name="notification")
