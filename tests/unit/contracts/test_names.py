"""Names that lead somewhere else are told from those that people have."""

import pytest

from contracts.names import leads_elsewhere

REAL = (
    "Erika Muster",
    "Dr.med. Müller",
    "Dr.med.Müller",
    "Prof.Dr. Anna Maier",
    "Prof. Dr. h.c. mult. Anna Maier",
    "Dr.rer.nat. Maier",
    "Dipl.-Ing.Maier",
    "Mag.a Huber",
    "St.Clair",
    "H.-P. Maier",
    "H.-P.Maier",
    "J.R.R.Tolkien",
    "M.Sc. Maier",
    "Müller (geb. Meier)",
    "Müller (geb.Meier)",
    "z.Hd. Frau Maier",
    "Fam.Maier",
    "Erika Muster, c/o Maier",
    "Rajan a/l Muthu",
    "Müller/Maier",
    "Kind Muster / Mutter Maier",
    "Martin Luther King, Jr.",
    "Jr.Smith",
    "O'Neill-Müller",
    "Erika Muster...",
    "王小明",
    "أحمد",
)
LEADING = (
    "Hier entsperren: https://evil.example/login?x=1",
    "http://Muster",
    "Erika Muster www.evil.example",
    "evil.example",
    "Evil.Example",
    "konto-dr.com",
    "dr.evil.com",
    "x.evil.com",
    "t.me/x1",
    "bit.ly",
    "evil1.com",
    "evil．example",
    "evil。example",
    "ev\u200dil.example",
    "münchen.example",
    "xn--mnchen-3ya.de",
    "a@b",
    "a＠b",
    "//muster",
    "／／muster",
)


@pytest.mark.parametrize("name", REAL)
def test_names_that_people_have(name: str) -> None:
    assert not leads_elsewhere(name)


@pytest.mark.parametrize("name", LEADING)
def test_what_mail_programs_link(name: str) -> None:
    assert leads_elsewhere(name)
