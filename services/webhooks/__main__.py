"""Entry point: `python -m services.webhooks`."""

import chassis.quick_start  # noqa: F401 - first of all
from chassis.service import load, serve
from services.webhooks.app import build
from services.webhooks.settings import Settings

settings = load(Settings, name="webhooks")
serve(build(settings), settings, name="webhooks")
