"""Entry point: `python -m services.fhir`."""

import chassis.quick_start  # noqa: F401 - first of all
from chassis.service import load, serve
from services.fhir.app import build
from services.fhir.settings import Settings

settings = load(Settings, name="fhir")
serve(build(settings), settings, name="fhir")
