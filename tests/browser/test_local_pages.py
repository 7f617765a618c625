"""The pages of the local mailbox and of the simulated phones, as a person uses them."""

import smtplib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from local.ports import free_port
from local.processes import Child, http_ok

MAIL = "Subject: Einladung\r\n\r\nhttps://praxis.example/besuch/1\r\n"


def send_mail(smtp_port: int, **_: object) -> None:
    with smtplib.SMTP("127.0.0.1", smtp_port) as server:
        server.sendmail("praxis@example.org", ["erika@example.org"], MAIL)


def send_sms(http_port: int, secret: str, **_: object) -> None:
    httpx.post(
        f"http://127.0.0.1:{http_port}/seven/api/sms",
        json={"to": "+491713920003", "text": "https://praxis.example/besuch/1", "from": "Praxis"},
        headers={"X-Api-Key": secret},
    ).raise_for_status()


@pytest.mark.parametrize(
    ("module", "arguments", "send", "shown", "none_left"),
    [
        ("local.mailbox", ("--smtp-port",), send_mail, "Einladung", "Noch keine E-Mail."),
        ("local.sms_gateway", ("--secret-file",), send_sms, "+491713920003", "Noch keine SMS."),
    ],
)
async def test_what_arrived_is_shown_and_can_be_deleted(
    module: str,
    arguments: Sequence[str],
    send: Callable[..., None],
    shown: str,
    none_left: str,
    browser: Browser,
    tmp_path: Path,
) -> None:
    http_port, smtp_port, secret = free_port(), free_port(), tmp_path / "secret"
    values = {"--smtp-port": str(smtp_port), "--secret-file": str(secret)}
    options = ["--folder", str(tmp_path / "kept")]
    options += [part for name in arguments for part in (name, values[name])]
    child = Child(
        module,
        lambda: (sys.executable, "-m", module, "--http-port", str(http_port), *options),
        log=tmp_path / "log",
        ready=partial(http_ok, http_port, "/health/ready"),
    )
    await child.start()
    shared = secret.read_text() if secret.exists() else ""
    send(http_port=http_port, smtp_port=smtp_port, secret=shared)
    page = await browser.new_page(viewport={"width": 320, "height": 640})
    await page.goto(f"http://127.0.0.1:{http_port}/")
    await expect(page.get_by_text(shown).first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.get_by_role("button", name="Alle löschen").click()
    await expect(page.get_by_text(none_left)).to_be_visible()
    await page.close()
    await child.stop()
