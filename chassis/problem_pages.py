"""The catalogue of problems: a page of each, from its class.

As Markdown in docs/problems/ (`tools.generate`), and as HTML at each service, where a problem's
`type` leads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse

from chassis.problems import FIELD_CODES, PAGES, InvalidInput, KnownProblem, NoSuchPath
from chassis.said import Said

OURS = ("chassis", "services", "dashboard")  # not what tests make up
CODES = Said("Codes in `errors`", "Codes in `errors`")


@dataclass(frozen=True, slots=True)
class Entry:
    """A problem's code, and the classes that have it: what is missing may be of several kinds."""

    code: str
    kinds: tuple[type[KnownProblem], ...]


def catalogue() -> dict[str, Entry]:
    """By code, those that this process can answer with: whose modules it has loaded."""
    found: dict[str, list[type[KnownProblem]]] = {}
    for kind in _below(KnownProblem):
        code = kind.__dict__.get("type_")
        if code and kind.__module__.partition(".")[0] in OURS:
            found.setdefault(code, []).append(kind)
    return {
        code: Entry(code, tuple(sorted(kinds, key=lambda kind: (kind.__module__, kind.__name__))))
        for code, kinds in sorted(found.items())
    }


def _below(kind: type[KnownProblem]) -> Iterator[type[KnownProblem]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def statuses(entry: Entry) -> str:
    """Its HTTP status; in words where an entry has several."""
    return ", ".join(str(each) for each in sorted({kind.status for kind in entry.kinds}))


def markdown(entry: Entry, codes: Mapping[str, Said]) -> str:
    """Its page in docs/problems/, English and German."""
    lines = [f"# {entry.code}", "", f"HTTP status {statuses(entry)}.", ""]
    for english in (True, False):
        lines += [f"## {'English' if english else 'Deutsch'}"]
        for kind in entry.kinds:
            lines += ["", f"**{_in(kind.title, english)}**", "", _in(kind.advice, english)]
        if codes and InvalidInput in entry.kinds:
            lines += ["", f"{_in(CODES, english)}:", ""]
            lines += [f"- `{code}`: {_in(said, english)}" for code, said in sorted(codes.items())]
        lines += [""]
    return "\n".join(lines)


def html(entry: Entry, codes: Mapping[str, Said]) -> str:
    """Its page at a service: the same, without a style, which no policy has to allow."""
    lines = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{entry.code}</title>',
        f"<h1>{entry.code}</h1><p>HTTP status {statuses(entry)}.</p>",
    ]
    for english in (True, False):
        lines.append(f'<section lang="{"en" if english else "de"}">')
        for kind in entry.kinds:
            title, advice = _in(kind.title, english), _in(kind.advice, english)
            lines.append(f"<h2>{escape(title)}</h2><p>{escape(advice)}</p>")
        if codes and InvalidInput in entry.kinds:
            lines.append(f"<h3>{escape(_in(CODES, english))}</h3><dl>")
            for code, said in sorted(codes.items()):
                lines.append(f"<dt>{code}</dt><dd>{escape(_in(said, english))}</dd>")
            lines.append("</dl>")
        lines.append("</section>")
    return "\n".join(lines)


def _in(said: Said, english: bool) -> str:
    return said.english if english else str(said)


def install(app: FastAPI, codes: Mapping[str, Said]) -> None:
    """Serve the pages; `codes` are those of fields that the service has beside the common ones."""

    @app.get(f"{PAGES}/{{code}}", include_in_schema=False)
    async def tell(code: str) -> Response:
        entry = catalogue().get(code)
        if entry is None:
            raise NoSuchPath
        return HTMLResponse(html(entry, {**FIELD_CODES, **codes}))
