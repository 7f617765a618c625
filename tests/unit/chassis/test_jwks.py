"""Which keys of an issuer are used, and how they are found when they change."""

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey
from structlog.testing import capture_logs

from chassis.jwks import (
    ALGORITHMS,
    MOST_LOGGED,
    FetchedKeys,
    KeysUnavailable,
    NoUsableKey,
    fetch_keys,
    key_source,
    read_keys,
)

ED = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
OTHER = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
EC = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
EC384 = ECKey.generate_key("P-384", auto_kid=True)
RSA = RSAKey.generate_key(2048, auto_kid=True)


def public(key: Key, **changes: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **changes}


GOOD: list[tuple[str, Key]] = [("Ed25519", ED), ("ES384", EC384), ("ES256", EC), ("RS256", RSA)]
# RFC 7517, section 5: "keys that are not understood, missing required members, out of range".
ODD: dict[str, Any] = {
    "a curve of German health care": public(EC, kid="odd", crv="BP-256"),
    "a curve we accept no signatures of": public(ECKey.generate_key("P-521"), kid="odd"),
    "a missing coordinate": {"kty": "EC", "crv": "P-256", "x": public(EC)["x"], "kid": "odd"},
    "a point on no curve": public(EC, kid="odd", y="AAAA"),
    "a modulus of nothing": {"kty": "RSA", "kid": "odd", "n": "AQ", "e": "AQAB"},
    "an exponent that is a number": {"kty": "RSA", "kid": "odd", "n": "AQ", "e": 65537},
    "no base64url": public(ED, kid="odd", x="€/+="),
    "half a letter": public(ED, kid="odd", x="\ud800"),
    "too short": public(ED, kid="odd", x="AAAA"),
    "foreign operations": public(ED, kid="odd", key_ops=["verify", "decide"]),
    "other operations": public(ED, kid="odd", key_ops=["encrypt"]),
    "operations for another use": public(ED, kid="odd", key_ops=["verify", "encrypt"]),
    "operations: null": public(ED, kid="odd", key_ops=None),
    "operations as text": public(ED, kid="odd", key_ops="verify"),
    "use: null": public(ED, kid="odd", use=None),
    "use: enc": public(RSA, kid="odd", use="enc"),
    "use: a list": public(ED, kid="odd", use=["sig"]),
    "an algorithm for encryption": public(RSA, kid="odd", alg="RSA-OAEP"),
    "alg: null": public(ED, kid="odd", alg=None),
    "a key id that is a number": public(ED, kid=5),
    "a key to agree on keys": public(OKPKey.generate_key("X25519"), kid="odd"),
    "a secret": {"kty": "oct", "kid": "odd", "k": base64.urlsafe_b64encode(b"x" * 32).decode()},
    "a type to come": {"kty": "AKP", "kid": "odd", "alg": "ML-DSA-44", "pub": "AAAA"},
    "a type that is a list": {"kty": ["EC"], "kid": "odd"},
    "no type": {"kid": "odd"},
    "a text": "odd",
    "nothing": None,
    "a list": [],
}
MEMBERS = st.sampled_from(
    ["kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e", "d", "k", "x5c", "x5u"]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=20),
    st.binary(max_size=80).map(lambda each: base64.urlsafe_b64encode(each).decode().rstrip("=")),
    st.sampled_from(["EC", "RSA", "OKP", "oct", "P-256", "P-384", "Ed25519", "sig", "verify"]),
    st.lists(st.sampled_from(["sign", "verify", "encrypt"]), max_size=3),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=1),
)
MADE_UP = st.dictionaries(MEMBERS, VALUES, max_size=8).map(lambda each: each | {"kid": "odd"})


def key_set(*keys: Any) -> str:
    return json.dumps({"keys": keys})


def kids(keys: KeySet) -> list[str | None]:
    return [key.kid for key in keys]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_key_that_is_not_understood_costs_the_others_nothing(odd: Any) -> None:
    with capture_logs() as logs:
        assert kids(read_keys(key_set(odd, public(ED), public(EC)))) == [ED.kid, EC.kid]
    (line,) = logs
    (left_out,) = line["keys"]
    assert left_out["why"]
    assert left_out["kid"] in {"odd", None}


@given(st.data())
def test_every_good_key_of_a_mixture_checks_its_tokens(data: st.DataObject) -> None:
    good = data.draw(st.lists(st.sampled_from(GOOD), min_size=1, unique_by=lambda each: each[0]))
    odd = data.draw(st.lists(st.sampled_from(list(ODD.values())) | MADE_UP, max_size=5))
    mixed = data.draw(st.permutations([*(public(key) for _, key in good), *odd]))
    keys = read_keys(key_set(*mixed))
    for algorithm, key in good:
        header = {"alg": algorithm, "kid": key.kid}
        token = jwt.encode(header, {"sub": "somebody"}, key, algorithms=ALGORITHMS)
        assert jwt.decode(token, keys, algorithms=ALGORITHMS).claims == {"sub": "somebody"}


def test_members_that_a_public_key_does_not_need_are_ignored() -> None:
    """RFC 7517, section 4; a private part that slipped in is not even kept."""
    listed = public(ED, d="AAAA", x5c="none", x5u="none", ext=True)
    (key,) = read_keys(key_set(listed))
    assert key.kid == ED.kid
    assert not key.is_private


def test_no_key_material_is_logged_and_no_more_than_a_few_ids() -> None:
    secret = public(RSA, kid="\ud800" * 1000, crv="BP-256", alg="none", d="secret", n="modulus")
    with capture_logs() as logs:
        read_keys(key_set(public(ED), *[secret] * 1000))
    (line,) = logs
    assert line["count"] == 1000
    assert len(line["keys"]) == MOST_LOGGED
    assert line["keys"][0].keys() == {"kid", "why"}
    said = json.dumps(line, ensure_ascii=False).encode()
    assert len(said) < 20_000
    assert b"secret" not in said
    assert b"modulus" not in said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '"keys"',
        '{"keys": {}}',
        '{"keys": null}',
        "[" * 100000,
        key_set(),
        key_set(*ODD.values()),
    ],
)
def test_without_a_usable_key_there_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(NoUsableKey):
        read_keys(text)


async def test_keys_in_a_file_hold_beside_odd_ones(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(key_set(*ODD.values(), public(ED)))
    assert kids(await key_source(str(file)).having(None)) == [ED.kid]


def test_a_file_without_usable_keys_ends_the_start_with_a_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    with capture_logs() as logs, pytest.raises(FileNotFoundError):
        key_source(str(file))
    file.write_text(key_set(*ODD.values()))
    with capture_logs() as more, pytest.raises(NoUsableKey):
        key_source(str(file))
    for line in (logs[-1], more[-1]):
        assert (line["log_level"], line["file"]) == ("error", str(file))
    assert more[-1]["why"] == f"no key to check signatures with, of {len(ODD)}"


def answering(answer: Callable[[], httpx.Response]) -> Callable[[], Awaitable[KeySet]]:
    async def fetch() -> KeySet:
        transport = httpx.MockTransport(lambda _: answer())
        async with httpx.AsyncClient(transport=transport) as client:
            return await fetch_keys(client, "https://login.example.org/jwks")

    return fetch


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text=key_set(*ODD.values())),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(200, text=key_set("text")),
        httpx.Response(200, text=key_set(public(OTHER), "x" * 300_000)),
        httpx.Response(503),
    ],
    ids=["odd keys alone", "deep", "text", "too long", "away"],
)
async def test_known_keys_stay_in_force_where_no_usable_ones_are_read(
    answer: httpx.Response,
) -> None:
    answers = [answer, httpx.Response(200, text=key_set(public(ED), *ODD.values())), answer]
    now = 0.0
    cache = FetchedKeys(answering(lambda: answers.pop(0)), now=lambda: now)
    with pytest.raises(KeysUnavailable):
        await cache.having(ED.kid)
    now = 2
    assert kids(await cache.having(ED.kid)) == [ED.kid]
    now = 1000
    assert kids(await cache.having(ED.kid)) == [ED.kid]
    assert not answers


async def test_an_address_that_is_none_is_an_outage() -> None:
    """As a discovery document may name it."""

    async def fetch() -> KeySet:
        async with httpx.AsyncClient() as client:
            return await fetch_keys(client, "https://[")

    with pytest.raises(KeysUnavailable):
        await FetchedKeys(fetch).having(None)


class Jwks:
    """An issuer's keys and how often they were asked for."""

    def __init__(self, *keys: Key) -> None:
        self.keys = list(keys)
        self.away = False
        self.asked = 0
        self.now = 0.0
        self.cache = FetchedKeys(self.fetch, now=lambda: self.now)

    async def fetch(self) -> KeySet:
        self.asked += 1
        if self.away:
            raise httpx.ConnectError("away")
        return KeySet(self.keys)


async def test_a_new_key_is_found_at_once_and_made_up_ones_ask_rarely() -> None:
    issuer = Jwks(ED)
    await issuer.cache.having(ED.kid)
    await issuer.cache.having(ED.kid)
    assert issuer.asked == 1
    issuer.keys.append(OTHER)
    issuer.now += 11
    assert OTHER in (await issuer.cache.having(OTHER.kid)).keys
    for number in range(100):
        await issuer.cache.having(f"made up {number}")
    assert issuer.asked == 2


async def test_a_withdrawn_key_holds_no_longer_than_ten_minutes() -> None:
    issuer = Jwks(ED, OTHER)
    await issuer.cache.having(ED.kid)
    issuer.keys.remove(OTHER)
    issuer.now += 601
    assert OTHER not in (await issuer.cache.having(OTHER.kid)).keys


async def test_known_keys_outlast_an_outage_and_without_any_nothing_is_judged() -> None:
    issuer = Jwks(ED)
    issuer.away = True
    with pytest.raises(KeysUnavailable):
        await issuer.cache.having(ED.kid)
    issuer.away = False
    issuer.now += 2
    await issuer.cache.having(ED.kid)
    issuer.away = True
    issuer.now += 5000
    assert ED in (await issuer.cache.having(ED.kid)).keys
