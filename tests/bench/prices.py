"""What usage costs: a dated price table (infra/prices.json) and the arithmetic of units."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

FILE = Path(__file__).parents[2] / "infra" / "prices.json"
MONTH_S = 30 * 86_400.0
IOT_UNIT = 5 * 1024
SQS_UNIT = EVENT_UNIT = 64 * 1024
FIREHOSE_UNIT = 5 * 1024
JOURNAL_MONTHS = 3
"""How long a byte of the journal is kept (infra/journal.yaml)."""
DELIVERY_S = 900.0
"""How often its stream makes an object."""
GB = 1024**3

Money: TypeAlias = Counter[tuple[str, str]]
"""USD by (cause, service); ``Counter`` only for its sums."""


@dataclass
class Usage:
    """How much of each priced item was used, by cause."""

    cause: str = "fixed"
    """What everything is counted for from now on."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, item: str, amount: float = 1.0, cause: str | None = None) -> None:
        """Count an amount of a priced item."""
        self.counts[cause or self.cause, item] += amount  # type: ignore[assignment]

    def total(self, item: str, cause: str | None = None) -> float:
        """Tell how much of an item was used, in all or for one cause."""
        return sum(n for (c, i), n in self.counts.items() if i == item and cause in (None, c))


@dataclass(frozen=True, slots=True)
class Prices:
    """A price table: what one unit of an item costs, and who charges it."""

    as_of: str
    region: str
    items: Mapping[str, tuple[str, float]]

    @classmethod
    def read(cls, file: Path = FILE) -> "Prices":
        """Read the table."""
        told: dict[str, Any] = json.loads(file.read_text("utf-8"))
        items = {name: (i["service"], i["usd"] / i["per"]) for name, i in told["items"].items()}
        return cls(told["as_of"], told["region"], items)

    def cost(self, usage: Usage) -> Money:
        """Price a usage. Raises KeyError for an item that has no price."""
        money: Money = Counter()
        for (cause, item), amount in usage.counts.items():
            service, usd = self.items[item]
            money[cause, service] += usd * amount  # type: ignore[assignment]
        return money


def units(size: float, unit: int) -> int:
    """Tell how many billing units a size takes; at least one."""
    return max(1, -(-int(size) // unit))


# ------------------------------------------------------------------ DynamoDB

_READ_UNIT, _WRITE_UNIT = 4096, 1024
ITEM_OVERHEAD = 100
"""Bytes that storage counts for each item beside its own."""

Item: TypeAlias = Mapping[str, Mapping[str, Any]]


def item_size(item: Item) -> int:
    """Tell an item's size as DynamoDB counts it: names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    kind, content = next(iter(value.items()))
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(content)
    if kind == "N":
        digits = content.lstrip("-").replace(".", "").strip("0")
        return (len(digits) + 1) // 2 + 1
    if kind in ("BOOL", "NULL"):
        return 1
    raise ValueError(f"an item of ours holds a value of kind {kind}")


def read_units(size: int, *, consistent: bool) -> float:
    """Tell the units of reading this many bytes at once."""
    return units(size, _READ_UNIT) * (1.0 if consistent else 0.5)


def write_units(before: Item | None, after: Item, *, transaction: bool = False) -> int:
    """Tell the units of putting an item over another: the larger of both counts, and a transaction writes twice."""
    size = max(item_size(after), 0 if before is None else item_size(before))
    return units(size, _WRITE_UNIT) * (2 if transaction else 1)


def index_units(before: Item | None, after: Item, *, transaction: bool = False) -> int:
    """Tell the units of bringing an index up to date, given what the index shows of an item before and after.

    A changed key is a deletion and a put. AWS does not say whether a transaction doubles these; here it does.
    """
    if before == after or not (before or after):
        return 0
    moved = bool(before and after)
    return (2 if moved else 1) * units(item_size(after or before or {}), _WRITE_UNIT) * (2 if transaction else 1)
