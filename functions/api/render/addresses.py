"""The parts of a postal address, which owners write in one line."""

import re
from typing import NamedTuple

_POSTAL = re.compile(r"(?:SE?-)?(\d{3}) ?(\d{2})\s+(\S.*)")


class Address(NamedTuple):
    """A street, a postal code and a town."""

    street: str
    postal_code: str | None
    city: str


def parts_of(text: str, otherwise: str) -> Address:
    """Read ``Street 1, 123 45 Town``; what is not told is ``otherwise``."""
    told = [part.strip() for part in text.split(",") if part.strip()]
    postal = _POSTAL.fullmatch(told[-1]) if told else None
    if postal is not None:
        street = ", ".join(told[:-1])
        return Address(street or otherwise, f"{postal[1]} {postal[2]}", postal[3])
    if len(told) > 1:
        return Address(", ".join(told[:-1]), None, told[-1])
    return Address(told[0] if told else otherwise, None, otherwise)
