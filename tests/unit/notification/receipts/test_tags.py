"""Tags name their delivery and can't be made up, nor used for another purpose."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.notification.receipts.return_path import PURPOSE
from services.notification.receipts.tags import ENVELOPE_ID, TAG_LENGTH, Tags
from services.notification.sending.email.smtp_pool import xtext

KEYS = {1: b"1" * 32, 7: b"7" * 32}
envelope_ids = Tags(KEYS, purpose=ENVELOPE_ID)


@given(st.uuids())
def test_a_tag_is_read_back_in_any_case_and_needs_no_encoding(delivery_id: UUID) -> None:
    tag = envelope_ids.of(delivery_id)
    assert len(tag) == TAG_LENGTH
    assert envelope_ids.read(tag) == envelope_ids.read(tag.upper()) == delivery_id
    assert xtext(tag) == tag.encode()


@given(st.uuids())
def test_a_tag_of_another_purpose_or_key_is_none(delivery_id: UUID) -> None:
    for others in (Tags(KEYS, purpose=PURPOSE), Tags({7: b"x" * 32}, purpose=ENVELOPE_ID)):
        assert envelope_ids.read(others.of(delivery_id)) is None


@given(st.uuids(), st.text(max_size=60))
def test_what_strangers_write_is_none(delivery_id: UUID, text: str) -> None:
    for made_up in (text, str(delivery_id), delivery_id.hex, f"{delivery_id}{text}"):
        assert envelope_ids.read(made_up) is None


def test_a_tag_is_what_it_has_always_been() -> None:
    known = UUID("01890000-0000-7000-8000-000000000001")
    tags = Tags({1: KEYS[1], 7: b"k" * 32}, purpose=ENVELOPE_ID)
    assert tags.of(known) == "a4aysaaaaaahaaeaaaaaaaaaaaavygiw2cycv5e3aoxq"
    assert tags.read("a4aysaaaaaahaaeaaaaaaaaaaaavygiw2cycv5e3aoxq") == known
