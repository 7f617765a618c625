"""Whatever is changed of an event, or said by another, is not genuine."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.envelope import Untrusted, decode, encode
from contracts.events import Evidence, InvitationDelivered
from contracts.signatures import (
    HEADER,
    KEY_BYTES,
    PURPOSE,
    SIGNED,
    EventSigner,
    EventVerifier,
    NotGenuine,
    NotSignable,
    public_keys,
)
from contracts.topics import TOPICS

DELIVERED = InvitationDelivered(
    appointment_id=UUID(int=1),
    practice_id=UUID(int=2),
    invitation_id=UUID(int=3),
    attempt=1,
    channel=Channel.EMAIL,
    sequence=2,
    occurred_at=datetime(2026, 11, 24, tzinfo=UTC),
    evidence=Evidence.ACCEPTED,
)
OURS = {1: b"1" * 32, 2: b"2" * 32}
OTHERS = {1: b"3" * 32}
VERIFIER = EventVerifier({"notification": public_keys(OURS), "scheduling": public_keys(OTHERS)})
MESSAGE = encode(DELIVERED, source="/einladung/notification")
ATTRIBUTES = {name: value.decode() for name, value in MESSAGE.headers}


CONTENT = b"".join(
    len(part).to_bytes(4, "big") + part
    for part in [PURPOSE, *(ATTRIBUTES[name].encode() for name in SIGNED), MESSAGE.value]
)
KEY = Ed25519PrivateKey.from_private_bytes(OURS[2])


def header(signature: bytes) -> str:
    """As the second key signs."""
    return f"2.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def signed(seeds: dict[int, bytes] = OURS) -> dict[str, str]:
    return ATTRIBUTES | {HEADER: EventSigner(seeds).sign(ATTRIBUTES, MESSAGE.value)}


def read(attributes: dict[str, str], value: bytes = MESSAGE.value) -> None:
    headers = [(name, text.encode()) for name, text in attributes.items()]
    assert decode(headers, value, VERIFIER).event == DELIVERED


def test_what_the_producer_signed_is_read() -> None:
    assert signed()[HEADER].startswith("2.")
    read(signed())


def test_while_keys_rotate_the_older_one_still_holds() -> None:
    read(signed({1: OURS[1]}))


@pytest.mark.parametrize(
    "attributes",
    [
        ATTRIBUTES,
        signed(OTHERS),  # whose key number is known, of another producer
        signed({7: OURS[1]}),
        ATTRIBUTES | {HEADER: ""},
        ATTRIBUTES | {HEADER: "2."},
        ATTRIBUTES | {HEADER: "2.A"},
        ATTRIBUTES | {HEADER: "²." + "A" * 86},
        ATTRIBUTES | {HEADER: "9" * 5000 + "." + "A" * 86},
        {name: text for name, text in signed().items() if name != "ce_source"},
    ],
)
def test_what_nobody_or_another_signed_is_not_read(attributes: dict[str, str]) -> None:
    with pytest.raises(Untrusted):
        read(attributes)


@given(st.sampled_from([*SIGNED, HEADER, "body"]), st.data())
def test_nothing_of_it_can_be_changed(part: str, data: st.DataObject) -> None:
    before = MESSAGE.value.decode() if part == "body" else signed()[part]
    place = data.draw(st.integers(0, len(before) - 1))
    letter = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    after = before[:place] + letter + before[place + 1 :]
    attributes, value = signed(), MESSAGE.value
    if part == "body":
        value = after.encode()
    else:
        attributes[part] = after
    if after == before or (part == HEADER and place == len(before) - 1):
        return  # the last character of base64 has bits of no meaning
    with pytest.raises(NotGenuine):
        VERIFIER.check("notification", attributes, value)


def test_parts_can_not_be_shifted_into_each_other() -> None:
    shifted = signed()
    shifted["ce_source"], shifted["ce_type"] = (
        shifted["ce_source"][1:],
        shifted["ce_type"] + shifted["ce_source"][0],
    )
    with pytest.raises(NotGenuine):
        VERIFIER.check("notification", shifted, MESSAGE.value)


def test_every_topic_has_a_producer_that_signs() -> None:
    assert all(topic.producer for topic in TOPICS)


def test_what_was_signed_before_an_update_is_genuine_after_it() -> None:
    """A signature (Ed25519 is deterministic) is what it has always been."""
    attributes = {
        "ce_id": "01890000-0000-7000-8000-000000000001",
        "ce_type": "einladung.v1.InvitationDelivered",
        "ce_source": "/einladung/notification",
        "ce_time": "2026-11-24T09:00:00Z",
        "ce_subject": "01890000-0000-7000-8000-000000000002",
    }
    signature = (
        "7.Aj1aV7X_MyeLj9SJOXzg-PlmZ-oTgvFJRua5qrBa577OdtreO_09dBqEmeRZuwlYjEkhIYq1nO_msgd3yt95AQ"
    )
    assert EventSigner({1: OURS[1], 7: b"k" * 32}).sign(attributes, b"{}") == signature
    verifier = EventVerifier({"notification": public_keys({7: b"k" * 32})})
    verifier.check("notification", attributes | {HEADER: signature}, b"{}")


def test_any_implementation_of_rfc_8032_signs_and_checks() -> None:
    number, _, text = signed()[HEADER].partition(".")
    KEY.public_key().verify(base64.urlsafe_b64decode(text + "=="), CONTENT)
    read(ATTRIBUTES | {HEADER: header(KEY.sign(CONTENT))})
    assert number == "2"


def test_no_part_of_what_was_signed_stands_in_the_header() -> None:
    with pytest.raises(Untrusted):
        read(ATTRIBUTES | {HEADER: header(KEY.sign(b"more" + CONTENT) + b"more")})


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        EventVerifier({"notification": public_keys(OURS) | {3: b"3" * (KEY_BYTES - 1)}})


def test_a_signature_has_one_spelling() -> None:
    number, _, text = signed()[HEADER].partition(".")
    others = (
        *(f"\u0662.{text}", f"0002.{text}"),
        *(f"{number}.{text[:40]}{more}{text[40:]}" for more in ("\n", "!!!!")),
    )
    for other in others:
        with pytest.raises(Untrusted):
            read(ATTRIBUTES | {HEADER: other})


def test_every_key_number_is_known_again() -> None:
    seeds = dict.fromkeys((1, 22, 255), b"1" * KEY_BYTES)
    verifier = EventVerifier({"notification": public_keys(seeds)})
    for number, seed in seeds.items():
        text = EventSigner({number: seed}).sign(ATTRIBUTES, MESSAGE.value)
        assert text.startswith(f"{number}.")
        verifier.check("notification", ATTRIBUTES | {HEADER: text}, MESSAGE.value)


def test_what_is_not_whole_is_not_signed() -> None:
    for missing in SIGNED:
        rest = {name: text for name, text in ATTRIBUTES.items() if name != missing}
        with pytest.raises(NotSignable, match=missing):
            EventSigner(OURS).sign(rest, MESSAGE.value)
