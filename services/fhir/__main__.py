"""Entry point: `python -m services.fhir`."""

from chassis.service import load, serve
from services.fhir.app import build
from services.fhir.settings import Settings

settings = load(Settings, name="fhir")
serve(build(settings), settings, name="fhir")
