"""Where servers without passwords listen."""

from local.listening import LOOPBACK, Listening


def test_on_a_machine_they_are_reached_from_that_machine_alone() -> None:
    assert Listening.of(None) == Listening("127.0.0.1", LOOPBACK)


def test_in_a_container_they_answer_to_its_name_and_loopback_names_alone() -> None:
    assert Listening.of("mailbox").names == ("127.0.0.1", "localhost", "mailbox")
