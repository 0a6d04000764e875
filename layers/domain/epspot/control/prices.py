"""When electricity is cheapest: what a series of prices says, and the best time within it.

A series is (from when on in epoch seconds, öre per kWh), in order. Its last price holds for as long as the one before
it did, a lone one for an hour. Before and after it nothing is known, and the unknown is dearer than anything known.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from math import inf
from operator import itemgetter
from typing import NamedTuple, TypeAlias

Prices: TypeAlias = Sequence[tuple[int, float]]
Slot: TypeAlias = tuple[float, float]
"""From when, and until when, in epoch seconds."""

_LONE_S = 3600


class _Piece(NamedTuple):
    """Time with one price; unknown is infinite."""

    start: float
    end: float
    ore_per_kwh: float


def price_at(prices: Prices, at: float) -> float | None:
    """Tell the price at a time, in öre per kWh; None if it is not known."""
    i = bisect_right(prices, at, key=itemgetter(0)) - 1
    if i < 0 or at >= _end_of(prices, i):
        return None
    return prices[i][1]


def cheapest_slots(prices: Prices, now: float, ready_by: float, needed_s: float) -> tuple[Slot, ...]:
    """Choose the cheapest ``needed_s`` seconds from ``now`` to ``ready_by``, in order and merged; all if it is too short.

    Of equal prices, what adjoins what is chosen already comes first, since a load that runs on is spared a switching;
    then the earliest.
    """
    if needed_s >= ready_by - now:
        return ((now, ready_by),) if now < ready_by else ()
    left_s = needed_s
    rest = [*_pieces(prices, now, ready_by)]
    chosen: list[Slot] = []
    while left_s > 0 and rest:
        best = min(rest, key=lambda p: (p.ore_per_kwh, not _adjoins(p, chosen), p.start))
        rest.remove(best)
        slot = _part(best, left_s, chosen)
        chosen = _merged([*chosen, slot])
        left_s -= best.end - best.start
    return tuple(chosen)


def _end_of(prices: Prices, i: int) -> float:
    """Tell until when a price holds."""
    if i + 1 < len(prices):
        return prices[i + 1][0]
    return prices[i][0] + (prices[i][0] - prices[i - 1][0] if i else _LONE_S)


def _known(prices: Prices) -> Iterator[_Piece]:
    """Give each price its end."""
    for i, (start, price) in enumerate(prices):
        yield _Piece(start, _end_of(prices, i), price)


def _pieces(prices: Prices, start: float, end: float) -> Iterator[_Piece]:
    """Divide a time where the price changes, what is not known included."""
    at = start
    for known in _known(prices):
        if known.end <= at or known.start >= end:
            continue
        if at < known.start:
            yield _Piece(at, known.start, inf)
        at = min(known.end, end)
        yield _Piece(max(known.start, start), at, known.ore_per_kwh)
    if at < end:
        yield _Piece(at, end, inf)


def _adjoins(piece: _Piece, chosen: Sequence[Slot]) -> bool:
    return any(piece.end == start or piece.start == end for start, end in chosen)


def _part(piece: _Piece, most_s: float, chosen: Sequence[Slot]) -> Slot:
    """Take as much of a piece as is needed: its end if only that adjoins what is chosen, else its beginning."""
    if piece.end - piece.start <= most_s:
        return piece.start, piece.end
    follows = any(end == piece.start for _, end in chosen)
    leads = any(start == piece.end for start, _ in chosen)
    if leads and not follows:
        return piece.end - most_s, piece.end
    return piece.start, piece.start + most_s


def _merged(slots: Sequence[Slot]) -> list[Slot]:
    """Put slots in order and join those that adjoin; one too short for the clock's own digits is none."""
    merged: list[Slot] = []
    for start, end in sorted(slots):
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        elif start < end:
            merged.append((start, end))
    return merged
