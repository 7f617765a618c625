"""Phone numbers as people read them."""

from functools import lru_cache

import phonenumbers


@lru_cache(maxsize=1024)
def readable(number: str) -> str:
    """A number in E.164 with its parts apart, as +49 30 1234567; what is none stays as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
