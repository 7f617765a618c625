"""Who can log in."""

from dataclasses import dataclass
from uuid import UUID

from local.practice import DEMO_PRACTICE


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo practice, or of none."""

    id: str
    name: str
    about: str
    roles: tuple[str, ...]
    practice_id: UUID | None = DEMO_PRACTICE.id


PERSONS = {
    person.id: person
    for person in (
        Person("praxis", "Ärztin", "lädt Patientinnen und Patienten ein", ("practitioner",)),
        Person("assistenz", "Assistenz", "lädt ebenso ein", ("assistant",)),
        Person("leitung", "Praxisleitung", "darf auch Termine löschen", ("appointment_admin",)),
        Person("gast", "Gast", "gehört zu keiner Praxis und hat keinen Zugang", (), None),
    )
}
