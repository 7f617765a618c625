"""Entry point: `python -m services.scheduling`."""

from chassis.service import serve
from services.scheduling.app import build
from services.scheduling.settings import Settings

settings = Settings()
serve(build(settings), settings, name="scheduling")
