"""What the patient's link opens.

GET consumes nothing: mail scanners open links too. „Beitreten" is a POST, which looks the link up
once more and sends the browser on to the video room.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse

from services.scheduling.api.dependencies import State
from services.scheduling.visits.page import PatientPage


async def patient_page(services: State) -> PatientPage:
    """FastAPI dependency: the page."""
    return services.patient_page


Page = Annotated[PatientPage, Depends(patient_page)]
router = APIRouter(include_in_schema=False)


@router.api_route("/besuch/{token:path}", methods=["GET", "HEAD"])
async def open_link(page: Page, request: Request, token: str) -> Response:
    """The page behind the link in the invitation."""
    return await page.open(request, token)


@router.post("/besuch/{token:path}")
async def join(page: Page, request: Request, token: str) -> Response:
    """„Beitreten"."""
    return await page.join(request, token)


@router.get("/robots.txt")
async def robots() -> Response:
    """Nothing here is for search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
