"""Mobile numbers as people type them, in E.164; each fault by its own code.

Without a country code a number is a German one. A landline is refused, as it can't be told
from here whether it takes SMS.
"""

import re
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from services.scheduling import pasted

REGION = "DE"
LONGEST_INPUT = 50  # characters

# „+49 (0)171": the zero that is only dialled within the country.
_TRUNK_ZERO = re.compile(r"(?<=\d)\s*\(\s*0\s*\)")
# „(+49) 171", „(0049) 171"
_BRACKETED_COUNTRY = re.compile(r"\A\(\s*((?:\+|00)\s*\d{1,3})\s*\)")
# The letter O for a zero, the minus of mathematics, and signs in full width.
_MEANT = str.maketrans("oO\u2212\uff0b\uff08\uff09\uff0d\uff0f\uff0e", "00-+()-/.")
_PERMITTED = re.compile(r"\+?[\d\s()/.\-\u2010-\u2015]+")


class NumberFault(StrEnum):
    """What is wrong with a number."""

    EMPTY = "missing"
    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNKNOWN_COUNTRY = "unknown_country"
    LANDLINE = "landline"
    NOT_MOBILE = "not_mobile"
    INVALID = "invalid"


class BadNumber(ValueError):
    """The input is no mobile number. Holds the fault, never the input."""

    def __init__(self, fault: NumberFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def parse_mobile(text: str) -> str:
    """The number in E.164, such as +491713920001. Raises BadNumber."""
    text = _repaired(text)
    number = _parse(text)
    if text.startswith("49") and not _is_mobile(number):
        international = _parse(f"+{text}")
        number = international if _is_mobile(international) else number
    if _is_mobile(number):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(number):
        fixed = phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE
        raise BadNumber(NumberFault.LANDLINE if fixed else NumberFault.NOT_MOBILE)
    match phonenumbers.is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE):
        case ValidationResult.TOO_SHORT:
            raise BadNumber(NumberFault.TOO_SHORT)
        case ValidationResult.TOO_LONG:
            raise BadNumber(NumberFault.TOO_LONG)
        case ValidationResult.INVALID_COUNTRY_CODE:
            raise BadNumber(NumberFault.UNKNOWN_COUNTRY)
    raise BadNumber(NumberFault.INVALID)


def parse_telephone(text: str) -> str:
    """A number of any kind in E.164, landlines too. Raises BadNumber."""
    number = _parse(_repaired(text))
    if not phonenumbers.is_valid_number(number):
        raise BadNumber(NumberFault.INVALID)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of(number: str) -> str | None:
    """The country (ISO 3166-1) of a number in E.164; None where it is no single one's."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(number))


def _is_mobile(number: phonenumbers.PhoneNumber) -> bool:
    # Some countries can't tell the two apart.
    kinds = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in kinds


def _repaired(text: str) -> str:
    text = pasted.line(text)
    if not text:
        raise BadNumber(NumberFault.EMPTY)
    if len(text) > LONGEST_INPUT:
        raise BadNumber(NumberFault.TOO_LONG)
    if not any(map(str.isdigit, text)):
        raise BadNumber(NumberFault.NOT_A_NUMBER)
    text = _BRACKETED_COUNTRY.sub(r"\1 ", text.translate(_MEANT))
    text = _TRUNK_ZERO.sub(" ", text)
    if not _PERMITTED.fullmatch(text):
        raise BadNumber(NumberFault.NOT_A_NUMBER)
    return text


def _parse(text: str) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(text, REGION)
    except NumberParseException as error:
        match error.error_type:
            case NumberParseException.INVALID_COUNTRY_CODE:
                fault = NumberFault.UNKNOWN_COUNTRY
            case NumberParseException.TOO_SHORT_NSN | NumberParseException.TOO_SHORT_AFTER_IDD:
                fault = NumberFault.TOO_SHORT
            case NumberParseException.TOO_LONG:
                fault = NumberFault.TOO_LONG
            case _:
                fault = NumberFault.NOT_A_NUMBER
        raise BadNumber(fault) from None
