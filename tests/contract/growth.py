"""What a later description of an API takes from those who go by an earlier one (docs/versions.md).

Two questions of schemas are one: whether every value of one is a value of the other. What is sent
to the service and was taken has to be taken still; what the service says has to be what it could
have said then, but for fields that came. It knows what of JSON Schema the descriptions use, and
says where they use more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
UPPER = ("maximum", "maxLength", "maxItems")
LOWER = ("minimum", "minLength", "minItems")
EQUAL = ("pattern", "format", "uniqueItems")  # nobody can tell in general which is the wider one
PARTS = ("$ref", "anyOf", "type", "enum", "const", "items")
OF_OBJECTS = ("properties", "required", "additionalProperties", "propertyNames")
ABOUT = ("title", "description", "example", "examples", "deprecated", "default")
KNOWN = {*UPPER, *LOWER, *EQUAL, *PARTS, *OF_OBJECTS, *ABOUT}
KINDS = frozenset({"null", "boolean", "number", "integer", "string", "array", "object"})

Pairs: TypeAlias = frozenset[tuple[str, str]]  # of names of schemas


def losses(then: Json, now: Json) -> Iterator[str]:
    """What breaks a client of then, with its place; nothing where there were only additions."""
    for path, methods in then["paths"].items():
        for method in methods.keys() & METHODS:
            place = f"{method.upper()} {path}"
            there = now["paths"].get(path, {}).get(method)
            if there is None:
                yield f"{place}: is gone"
            else:
                yield from _Comparison(then, now).operation(methods[method], there, place)


@dataclass(frozen=True, slots=True)
class _Comparison:
    then: Json
    now: Json

    def operation(self, then: Json, now: Json, place: str) -> Iterator[str]:
        if then.get("operationId") != now.get("operationId"):
            yield f"{place}: operationId, by which clients call it, was {then.get('operationId')}"
        yield from _security(then.get("security") or [{}], now.get("security") or [{}], place)
        yield from self._parameters(then, now, place)
        yield from self._body(then.get("requestBody"), now.get("requestBody"), place)
        for status, answer in then["responses"].items():
            if status in now["responses"]:
                yield from self._answer(answer, now["responses"][status], f"{place} {status}")
            else:
                yield f"{place} {status}: is gone"
        for status in now["responses"].keys() - then["responses"].keys():
            if status.startswith("2"):
                yield f"{place} {status}: a success that was none"

    def _parameters(self, then: Json, now: Json, place: str) -> Iterator[str]:
        before, after = (
            {(each["in"], each["name"]): each for each in operation.get("parameters", ())}
            for operation in (then, now)
        )
        for name in before.keys() - after.keys():
            yield f"{place} {name[1]}: is gone"
        for name, parameter in after.items():
            here = f"{place} {name[1]}"
            earlier = before.get(name, {"required": False})
            if parameter.get("required") and not earlier.get("required"):
                yield f"{here}: is required"
            if name in before:
                yield from self.sent(earlier["schema"], parameter["schema"], here)

    def _body(self, then: Json | None, now: Json | None, place: str) -> Iterator[str]:
        if now is not None and now.get("required") and not (then or {}).get("required"):
            yield f"{place} body: is required"
        if then is not None:
            yield from self._content(then, now or {}, f"{place} body", self.sent)

    def _answer(self, then: Json, now: Json, place: str) -> Iterator[str]:
        yield from self._content(then, now, place, self.said)
        for name, header in then.get("headers", {}).items():
            there = now.get("headers", {}).get(name)
            if there is None:
                yield f"{place} {name}: is gone"
                continue
            if header.get("required") and not there.get("required"):
                yield f"{place} {name}: may be absent"
            yield from self.said(header["schema"], there["schema"], f"{place} {name}")

    def _content(
        self,
        then: Json,
        now: Json,
        place: str,
        compared: Callable[[Json, Json, str], Iterator[str]],
    ) -> Iterator[str]:
        for kind, content in then.get("content", {}).items():
            there = now.get("content", {}).get(kind)
            if there is None:
                yield f"{place} {kind}: is gone"
                continue
            yield from compared(content["schema"], there["schema"], place)
            events, still = content.get("x-events", {}), there.get("x-events", {})
            for name, event in events.items():
                if name in still:
                    yield from compared(event, still[name], f"{place} {name}")
                else:
                    yield f"{place} {name}: is gone"

    def sent(self, then: Json, now: Json, place: str) -> Iterator[str]:
        """Of a schema of what is sent to the service."""
        return _Inclusion(self.then, self.now, sent=True).losses(then, now, place)

    def said(self, then: Json, now: Json, place: str) -> Iterator[str]:
        """Of a schema of what the service says."""
        return _Inclusion(self.now, self.then, sent=False).losses(now, then, place)


@dataclass(frozen=True, slots=True)
class _Inclusion:
    """Whether all values of a schema in the one description are values of one in the other."""

    small: Json
    big: Json
    sent: bool  # to the service: the small one is then's; else it is now's

    def losses(
        self, small: Json, big: Json, place: str, within: Pairs = frozenset()
    ) -> Iterator[str]:
        names = small.get("$ref", ""), big.get("$ref", "")
        if names in within:  # which is being answered already
            return
        if all(names):
            within |= {names}
        small, big = _resolved(small, self.small), _resolved(big, self.big)
        if unknown := {key for key in (small | big).keys() - KNOWN if not key.startswith("x-")}:
            yield f"{place}: nobody compares {', '.join(sorted(unknown))}"
        if self.sent and small.get("default") != big.get("default"):
            yield self._changed(place, "default", small, big)
        if "anyOf" in small or "anyOf" in big:
            yield from self._alternatives(small, big, place, within)
            return
        more = {*map(str, _kinds(small) - _kinds(big))}
        if more:
            yield f"{place}: {self._values(more)}"
            return
        yield from self._limits(small, big, place)
        if "items" in big and "array" in _kinds(small):
            yield from self.losses(small.get("items", {}), big["items"], f"{place}[]", within)
        if "object" in _kinds(small) & _kinds(big):
            yield from self._fields(small, big, place, within)

    def _alternatives(self, small: Json, big: Json, place: str, within: Pairs) -> Iterator[str]:
        """Each of the one has to be in one of the other; the closest says what is missing."""
        for each in small.get("anyOf", [small]):
            tried = [
                (other, list(self.losses(_bare(each), _bare(other), place, within)))
                for other in big.get("anyOf", [big])
            ]
            if all(found for _, found in tried):
                yield from min(tried, key=lambda pair: (not _is_like(each, pair[0]), len(pair[1])))[
                    1
                ]

    def _limits(self, small: Json, big: Json, place: str) -> Iterator[str]:
        listed, given = _listed(big), _listed(small)
        if listed is not None:
            if given is None:
                yield f"{place}: {self._values({'what is not listed'})}"
            elif more := {str(each) for each in given if each not in listed}:
                yield f"{place}: {self._values(more)}"
            return  # a listed value is itself, whatever else is said of it
        for keys, sign in ((UPPER, 1), (LOWER, -1)):
            for key in keys:
                if key in big and (key not in small or sign * small[key] > sign * big[key]):
                    yield self._changed(place, key, small, big)
        for key in EQUAL:
            if key in big and small.get(key) != big[key]:
                yield self._changed(place, key, small, big)

    def _fields(self, small: Json, big: Json, place: str, within: Pairs) -> Iterator[str]:
        fields, others = small.get("properties", {}), big.get("properties", {})
        gone = fields.keys() - others.keys() if self.sent else others.keys() - fields.keys()
        for name in sorted(gone):
            yield f"{place}.{name}: is gone"
        for name in sorted({*big.get("required", ())} - {*small.get("required", ())} - gone):
            yield f"{place}.{name}: {'is required' if self.sent else 'may be absent'}"
        for name in fields.keys() & others.keys():
            yield from self.losses(fields[name], others[name], f"{place}.{name}", within)
        any_, only = (each.get("additionalProperties", True) for each in (small, big))
        # Whoever reads passes over fields that he does not know, whatever the schema says.
        if self.sent and only is False and any_ is not False:
            yield f"{place}: unknown fields are refused"
        elif isinstance(only, dict) and any_ is not False:
            any_ = any_ if isinstance(any_, dict) else {}
            yield from self.losses(any_, only, f"{place}.*", within)
        if "propertyNames" in big:
            names = small.get("propertyNames", {"type": "string"})
            yield from self.losses(names, big["propertyNames"], f"{place}, its names", within)

    def _values(self, more: set[str]) -> str:
        return f"{'no more' if self.sent else 'now also'} {', '.join(sorted(more))}"

    def _changed(self, place: str, key: str, small: Json, big: Json) -> str:
        was, is_ = (small, big) if self.sent else (big, small)
        return f"{place}: {key} was {was.get(key)}, is {is_.get(key)}"


def _security(then: list[dict[str, list[str]]], now: list[Any], place: str) -> Iterator[str]:
    """Whoever was let in with a token's scopes still is."""
    for had in then:
        if not any(
            all(name in had and {*scopes} <= {*had[name]} for name, scopes in asked.items())
            for asked in now
        ):
            yield f"{place}: asks for more than {had}"


def _resolved(schema: Json, description: Json) -> Json:
    """The schema, with what is said beside the reference to it."""
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = description["components"]["schemas"][name] | beside
    return schema


def _bare(schema: Json) -> Json:
    """An alternative by itself: a default is the whole's."""
    return {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}


def _is_like(one: Json, other: Json) -> bool:
    return all(one.get(key) == other.get(key) for key in ("$ref", "type"))


def _kinds(schema: Json) -> frozenset[str]:
    named = schema.get("type", KINDS)
    kinds = frozenset({named} if isinstance(named, str) else named)
    return kinds | {"integer"} if "number" in kinds else kinds


def _listed(schema: Json) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")
