"""What practices' systems do all the time: appointments are made, and looked at, through Services.

    traffic run             until told to end (SIGTERM); what happened is lines of JSON
    traffic settle SECONDS  reads {"id": …, "wanted": …} by line, prints what is not so in the end

Each worker is an honest client: what was broken off it asks again with the same Idempotency-Key,
and when it is told to come later (429, or 503 as too busy) it does. Whatever else is not answered
as promised is a line „wrong".
"""

import asyncio
import json
import os
import signal
import ssl
import sys
import time
from datetime import date, timedelta
from uuid import uuid4

import httpx

SCHEDULING = "https://einladung-scheduling.einladung-test:8401"
STATUS = "https://einladung-status.einladung-test:8403"
AUTHORITY = "/etc/einladung/authorities/ca.crt"
WORKERS = 4
PAUSE = 1.5  # seconds between two appointments of a worker
PATIENCE = 30.0  # seconds for an answer
ATTEMPTS = 20
# What the mailbox does with addresses that begin so, and what has to be shown of them in the end.
FATES = {"erika": "delivered", "unbekannt": "failed", "spaeter-unbekannt": "failed"}
MIX = ("erika", "erika", "unbekannt", "erika", "spaeter-unbekannt", "erika")
BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)

Json = dict[str, object]


def tell(event: str, **said: object) -> None:
    """A line of what happened."""
    print(json.dumps({"event": event, "at": round(time.time(), 3), **said}), flush=True)


class Client:
    """A practice's system, with its key. One that is `lasting` keeps its connections."""

    def __init__(self, lasting: bool) -> None:
        self._lasting = lasting
        self._http = self._client()
        self._token, self._until = "", 0.0

    def _client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_keepalive_connections=None if self._lasting else 0)
        return httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=AUTHORITY), timeout=PATIENCE, limits=limits
        )

    async def token(self) -> str:
        """One that still holds."""
        if time.monotonic() > self._until:
            key = (os.environ["KEY_ID"], os.environ["KEY_SECRET"])
            form = {"grant_type": "client_credentials"}
            answer = await self._asked("POST", f"{SCHEDULING}/v1/tokens", auth=key, data=form)
            if answer is None:
                return ""
            told = answer.json()
            self._token = told["access_token"]
            self._until = time.monotonic() + told["expires_in"] / 2
        return self._token

    async def ask(
        self, method: str, url: str, wanted: set[int], **body: object
    ) -> httpx.Response | None:
        """The answer, which has to be one of those wanted."""
        headers = {"Authorization": f"Bearer {await self.token()}", "Idempotency-Key": uuid4().hex}
        return await self._asked(method, url, wanted=wanted, headers=headers, **body)

    async def _asked(
        self, method: str, url: str, wanted: set[int] | None = None, **how: object
    ) -> httpx.Response | None:
        for attempt in range(ATTEMPTS):
            began = time.monotonic()
            try:
                answer = await self._http.request(method, url, **how)  # type: ignore[arg-type]
            except BROKEN as error:
                # An answer's connection may end with its pod, and then is asked for again.
                tell("broken", error=repr(error), lasting=self._lasting, attempt=attempt, url=url)
                await asyncio.sleep(0.05)
                continue
            except httpx.TransportError as error:
                took = round(time.monotonic() - began, 2)
                tell("wrong", error=repr(error), lasting=self._lasting, url=url, took=took)
                await asyncio.sleep(0.2)
                continue
            if answer.status_code in (wanted or {200}):
                return answer
            if answer.status_code == 429 or "too-busy" in answer.text:
                tell("later", status=answer.status_code, url=url)
                await asyncio.sleep(float(answer.headers["Retry-After"]))
                continue
            tell("wrong", status=answer.status_code, text=answer.text[:500], url=url)
            if answer.status_code < 500:
                return None
            await asyncio.sleep(float(answer.headers.get("Retry-After", "0.2")))
        tell("wrong", error="given up", url=url)
        return None


def form(address: str) -> Json:
    """„Termin erstellen"."""
    return {
        "patient_name": "Erika Mustermann",
        "channels": ["email"],
        "email": address,
        "date": (date.today() + timedelta(days=2)).isoformat(),  # noqa: DTZ011 - any day will do
        "time": "10:00",
        "duration_minutes": 20,
        "consent": True,
    }


async def work(number: int, end: asyncio.Event) -> None:
    """Make appointments, and look at the one before."""
    client, turn = Client(lasting=number % 2 == 0), number
    while not end.is_set():
        began = time.monotonic()
        kind = MIX[turn % len(MIX)]
        turn += 1
        address = f"{kind}+{uuid4().hex[:12]}@example.org"
        made = await client.ask("POST", f"{SCHEDULING}/v1/appointments", {201}, json=form(address))
        if made is not None:
            told = {"id": made.json()["id"], "email": address, "wanted": FATES[kind]}
            tell("accepted", **told, took=round(time.monotonic() - began, 3))
            url = f"{STATUS}/v1/indicators/{told['id']}"
            if await client.ask("GET", url, {200, 404}) is not None:
                tell("seen")
        await asyncio.sleep(max(0.0, PAUSE - (time.monotonic() - began)))


async def settle(patience: float) -> None:
    """Print what does not come to show what it has to."""
    client = Client(lasting=True)
    left = [json.loads(line) for line in sys.stdin if line.strip()]
    deadline = time.monotonic() + patience
    while left and time.monotonic() < deadline:
        still = []
        for each in left:
            url = f"{STATUS}/v1/indicators/{each['id']}"
            answer = await client.ask("GET", url, {200, 404})
            shown = answer.json() if answer is not None and answer.status_code == 200 else {}
            if shown.get("overall") != each["wanted"]:
                still.append(each | {"shown": shown.get("overall")})
        left = still
        await asyncio.sleep(1 if left else 0)
    for each in left:
        print(json.dumps(each))


async def run() -> None:
    """All workers."""
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    async with asyncio.TaskGroup() as tasks:
        for number in range(WORKERS):
            tasks.create_task(work(number, end))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["run"]:
            asyncio.run(run())
        case ["settle", seconds]:
            asyncio.run(settle(float(seconds)))
