"""The table tells the longest recovery of each kind of fault, and what was broken."""

from dataclasses import replace

from reliability.faults.doing import Happened
from reliability.faults.inviting import Account
from reliability.faults.plan import Fault, Kind
from reliability.faults.promises import Broken, Delivery, Evidence, Invitation, Promise
from reliability.faults.report import longest, recoveries, table


def happened(kind: Kind, began: float, ended: float) -> Happened:
    return Happened(Fault(1, began, kind, "Kafka", ended - began), began, ended)


ACCOUNT = Account(
    accepted_at={"early": 1.0, "meanwhile": 12.0, "late": 30.0, "never": 13.0},
    settled_at={"early": 900.0, "meanwhile": 25.0, "late": 31.0},
)
FAULTS = [happened(Kind.KILL, 10, 20), happened(Kind.PAUSE, 29, 40), happened(Kind.KILL, 50, 51)]
NOTHING = Evidence(
    invitations=[],
    appointments=[],
    deliveries=[],
    mails=[],
    texts=[],
    indicators={},
    records=[],
    entries=[],
)


def test_a_fault_is_over_when_all_that_was_accepted_meanwhile_has_its_end() -> None:
    known = recoveries(FAULTS, [ACCOUNT], ["never"])
    assert longest(FAULTS, known) == {Kind.KILL: 5.0, Kind.PAUSE: 0.0}
    assert longest(FAULTS, recoveries(FAULTS, [ACCOUNT], []))[Kind.KILL] == float("inf")


def test_a_slow_recovery_is_told_with_what_is_known_of_it() -> None:
    invited = Invitation("never", 1, "sms", "+4915100000001")
    seen = replace(
        NOTHING,
        invitations=[invited],
        deliveries=[Delivery("d", "never", 1, "sms", "", "accepted", 0)],
    )
    text = table(seen, [], FAULTS, [ACCOUNT])
    assert "inf s after 1 (kill -9): never, +4915100000001: 1 sms accepted" in text


def test_what_nobody_knew_until_it_was_sent_again_is_no_slow_recovery() -> None:
    account = Account(accepted_at={"again": 12.0}, settled_at={"again": 700.0})

    def told(first: Delivery) -> str:
        second = Delivery("2", "again", 2, "sms", "", "delivered", 0)
        return table(replace(NOTHING, deliveries=[first, second]), [], FAULTS, [account])

    nobody_knew = told(Delivery("1", "again", 1, "sms", "", "superseded", 1))
    assert "| kill -9 | 2 | 0.0 s |" in nobody_knew
    assert "| of which nobody knew until they were sent again | 1 |" in nobody_knew
    known = told(Delivery("1", "again", 1, "sms", "", "superseded", 0))
    assert "| kill -9 | 2 | 680.0 s |" in known
    assert "| of which nobody knew until they were sent again | 0 |" in known


def test_what_is_broken_is_counted_and_told() -> None:
    broken = [Broken(Promise.LOST, "a-1", "no delivery")] * 3
    text = table(NOTHING, broken, FAULTS, [ACCOUNT])
    assert "| kill -9 | 2 |" in text
    assert "| lost | 3 |" in text
    assert "| false green | 0 |" in text
    assert "lost: a-1: no delivery" in text
