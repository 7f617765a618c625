"""The catalogue of problems: a page of each, where its `type` leads, and in docs/problems."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, TypeAlias

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse

from chassis.problems import PAGES, InvalidInput, KnownProblem, NoSuchPath
from chassis.said import Said
from contracts import problems

Json: TypeAlias = dict[str, Any]

OURS = ("chassis", "services", "dashboard")  # not what tests make up
LANGUAGES = {"en": "English", "de": "Deutsch"}


def of_classes(field_codes: Mapping[str, Said]) -> Json:
    """The catalogue (contracts/problems.json) from the classes that are loaded."""
    found: dict[str, list[type[KnownProblem]]] = {}
    for kind in _below(KnownProblem):
        code = kind.__dict__.get("type_")
        if code and kind.__module__.partition(".")[0] in OURS:
            found.setdefault(code, []).append(kind)
    return {
        "problems": {code: _problem(kinds) for code, kinds in sorted(found.items())},
        "field_codes": {
            code: {"en": said.english, "de": str(said)}
            for code, said in sorted(field_codes.items())
        },
    }


def _below(kind: type[KnownProblem]) -> Iterator[type[KnownProblem]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _problem(kinds: list[type[KnownProblem]]) -> Json:
    kinds = sorted(kinds, key=lambda kind: (kind.__module__, kind.__name__))
    return {
        "status": sorted({kind.status for kind in kinds}),
        "en": [{"title": k.title.english, "advice": k.advice.english} for k in kinds],
        "de": [{"title": str(k.title), "advice": str(k.advice)} for k in kinds],
    }


def statuses(problem: Json) -> str:
    """Its HTTP status, or several."""
    return ", ".join(map(str, problem["status"]))


def markdown(code: str, catalogue: Json) -> str:
    """The page in docs/problems."""
    problem = catalogue["problems"][code]
    lines = [f"# {code}", "", f"HTTP status {statuses(problem)}.", ""]
    for language, name in LANGUAGES.items():
        lines.append(f"## {name}")
        for kind in problem[language]:
            lines += ["", f"**{kind['title']}**", "", kind["advice"]]
        if code == InvalidInput.type_:
            lines.append("")
            lines += [
                f"- `{each}`: {words[language]}" for each, words in catalogue["field_codes"].items()
            ]
        lines.append("")
    return "\n".join(lines)


def html(code: str, catalogue: Json) -> str:
    """The page at a service: the same, without a style, which no policy has to allow."""
    problem = catalogue["problems"][code]
    lines = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{code}</title>',
        f"<h1>{code}</h1><p>HTTP status {statuses(problem)}.</p>",
    ]
    for language in LANGUAGES:
        lines.append(f'<section lang="{language}">')
        lines += [
            f"<h2>{escape(kind['title'])}</h2><p>{escape(kind['advice'])}</p>"
            for kind in problem[language]
        ]
        if code == InvalidInput.type_:
            lines.append("<dl>")
            lines += [
                f"<dt>{each}</dt><dd>{escape(words[language])}</dd>"
                for each, words in catalogue["field_codes"].items()
            ]
            lines.append("</dl>")
        lines.append("</section>")
    return "\n".join(lines)


def install(app: FastAPI) -> None:
    """Serve the pages of all services: the host that is asked may stand before several."""

    @app.get(f"{PAGES}/{{code}}", include_in_schema=False)
    async def tell(code: str) -> Response:
        if code not in problems.catalogue()["problems"]:
            raise NoSuchPath
        return HTMLResponse(html(code, problems.catalogue()))
