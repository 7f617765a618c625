"""Entry point: `python -m services.scheduling`."""

import chassis.quick_start  # noqa: F401 - first of all
from chassis.service import load, serve
from services.scheduling.app import build
from services.scheduling.settings import Settings

settings = load(Settings, name="scheduling")
serve(build(settings), settings, name="scheduling")
