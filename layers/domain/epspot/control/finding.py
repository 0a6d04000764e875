"""Something that is wrong now, as diagnosis names it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; ``code`` stands in the catalogue of alarms."""

    code: str
    about: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What JSON can hold. ``certainty`` is in it unless the finding is certain."""

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.code}/{self.about}"
