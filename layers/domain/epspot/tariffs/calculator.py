"""The one calculator: the live price, the receipt and every export come from here.

Time and energy are priced exactly, as fractions, so that it makes no difference into which stretches a session is
divided. Start fee, least and most, and rounding apply once, to the whole.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from math import floor
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from epspot.site.rules import DAY_MIN
from epspot.tariffs.model import FEES, ZONE, Rate, Stretch, Tariff

Spot: TypeAlias = Sequence[tuple[int, float]]
"""(from when on in epoch seconds, öre per kWh without VAT), in order; of the form of ``control/prices.py``."""

_Part: TypeAlias = tuple[str, int | None, Fraction, Fraction]
"""What of, which rate, how much, and öre."""

_HOUR_S = 3600
_HOUR_MIN = 60
_KWH_WH = 1000
_UNITS = {"hour": "h", "energy": "kWh", "idle": "h"}
_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the receipt."""

    what: str
    """A fee, ``least`` (what is missing to the least) or ``most`` (what is taken off above the most)."""
    rate: int | None
    """Which of the fee's rates."""
    quantity: Fraction
    unit: str
    """``h``, ``kWh``, or nothing: each."""
    unit_ore: Fraction
    """Of a rate that follows the market the mean."""
    amount_ore: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a session costs."""

    total_ore: int
    vat_ore: int
    """Of the total."""
    lines: tuple[Line, ...]
    """Their sum is the total."""
    assumed: bool = False
    """For some of the energy the spot price is not known, and the tariff's own price in its place is taken."""


@dataclass(frozen=True, slots=True)
class Now:
    """What is asked for at a time: None where there is no such fee."""

    start_ore: Fraction | None
    hour_ore: Fraction | None
    energy_ore: Fraction | None
    idle_ore: Fraction | None
    assumed: bool = False


class _Piece(NamedTuple):
    """A part of a stretch within which nothing changes."""

    begin: Fraction
    end: Fraction
    energy_wh: Fraction
    idle: bool


@dataclass(slots=True)
class _Sum:
    """What has come together at one rate."""

    quantity: Fraction = Fraction(0)
    ore: Fraction = Fraction(0)

    def add(self, quantity: Fraction, unit_ore: Fraction) -> None:
        self.quantity += quantity
        self.ore += quantity * unit_ore


def price(tariff: Tariff, stretches: Sequence[Stretch], spot: Spot = ()) -> Price:
    """Price a session by a sound tariff (``problems_of``); the order of its stretches is of no matter.

    Raises ValueError if there is no stretch, or one ends before it begins, has negative energy or overlaps another.
    """
    ordered = _ordered(stretches)
    sums, assumed = _sums(tariff, ordered, spot)
    told: list[_Part] = [(fee, i, s.quantity, s.ore) for (fee, i), s in sums.items()]
    exact = sum((ore for *_, ore in told), Fraction(0))
    bounded = max(exact, Fraction(tariff.least_ore))
    if tariff.most_ore is not None:
        bounded = min(bounded, Fraction(tariff.most_ore))
    if bounded != exact:
        told.append(("least" if bounded > exact else "most", None, Fraction(1), bounded - exact))
    total = half_up(bounded)
    amounts = _shared(total, [ore for *_, ore in told])
    lines = tuple(
        Line(what, rate, quantity, _UNITS.get(what, ""), ore / quantity, amount)
        for (what, rate, quantity, ore), amount in zip(told, amounts, strict=True)
    )
    return Price(total, vat_of(total, tariff), lines, assumed)


def price_now(tariff: Tariff, at: float, spot: Spot = ()) -> Now:
    """Tell what is asked for at a time, with the fees' prices as they are then."""
    known = _spot_at(spot, at)
    told = {}
    for fee in FEES:
        rates = tariff.rates(fee)
        told[fee] = _unit_ore(tariff, rates[_in_force(rates, at)], known) if rates else None
    held = tariff.energy[_in_force(tariff.energy, at)] if tariff.energy else None
    assumed = held is not None and held.market is not None and known is None
    return Now(told["start"], told["hour"], told["energy"], told["idle"], assumed)


def half_up(ore: Fraction) -> int:
    """Round to whole öre, a half up."""
    return floor(ore + _HALF)


def vat_of(total_ore: int, tariff: Tariff) -> int:
    """Tell the VAT inside a total, a half öre up."""
    vat = Fraction(tariff.vat)
    return half_up(total_ore * vat / (1 + vat))


# ------------------------------------------------------------------ sums


def _sums(tariff: Tariff, stretches: Sequence[Stretch], spot: Spot) -> tuple[dict[tuple[str, int], _Sum], bool]:
    """Add up the start fee, time and energy at each rate, in the order of ``FEES`` and of rates."""
    begin = Fraction(stretches[0].begin)
    free_until = begin + tariff.hour_free_s
    grace = Fraction(tariff.idle_grace_s)
    sums = {(fee, i): _Sum() for fee in FEES for i in range(len(tariff.rates(fee)))}
    assumed = False

    def add(fee: str, at: Fraction, quantity: Fraction) -> bool:
        """Add to the rate in force; tell whether the spot price was wanted and not known."""
        rates = tariff.rates(fee)
        if not rates or not quantity:
            return False
        i, known = _in_force(rates, at), _spot_at(spot, at)
        sums[fee, i].add(quantity, _unit_ore(tariff, rates[i], known))
        return rates[i].market is not None and known is None

    add("start", begin, Fraction(1))
    for piece in (p for s in stretches for p in _pieces(tariff, s, spot)):
        add("hour", piece.begin, max(piece.end - max(piece.begin, free_until), Fraction(0)) / _HOUR_S)
        assumed |= add("energy", piece.begin, piece.energy_wh / _KWH_WH)
        if piece.idle:
            spared = min(grace, piece.end - piece.begin)
            grace -= spared
            add("idle", piece.begin, (piece.end - piece.begin - spared) / _HOUR_S)
    return {key: s for key, s in sums.items() if s.quantity}, assumed


def _ordered(stretches: Sequence[Stretch]) -> list[Stretch]:
    ordered = sorted(stretches, key=lambda s: (s.begin, s.end))
    if not ordered:
        raise ValueError("a session has at least one stretch")
    if any(s.end < s.begin or s.energy_wh < 0 for s in ordered):
        raise ValueError("a stretch ends before it begins, or has negative energy")
    if any(later.begin < earlier.end for earlier, later in pairwise(ordered)):
        raise ValueError("stretches overlap")
    return ordered


def _pieces(tariff: Tariff, stretch: Stretch, spot: Spot) -> Iterator[_Piece]:
    """Divide a stretch where a window or a spot price may begin or end."""
    begin, end = Fraction(stretch.begin), Fraction(stretch.end)
    energy_wh = Fraction(stretch.energy_wh)
    cuts = sorted({at for at in _cuts(tariff, begin, end, spot) if begin < at < end})
    for one, next_ in pairwise([begin, *cuts, end]):
        share = (next_ - one) / (end - begin) if begin < end else Fraction(1)
        yield _Piece(one, next_, energy_wh * share, stretch.idle)


def _cuts(tariff: Tariff, begin: Fraction, end: Fraction, spot: Spot) -> Iterator[Fraction]:
    """List the times at which another price may hold."""
    if borders := _borders(tariff):
        for hour in range(floor(begin / _HOUR_S), floor(end / _HOUR_S) + 1):
            yield from (Fraction(hour * _HOUR_S + m * 60) for m in _cuts_within(hour, borders))
    if tariff.follows_market and spot:
        yield from (Fraction(at) for at, _ in spot)
        yield Fraction(_end_of_spot(spot))


def _cuts_within(hour: int, borders: frozenset[int]) -> Iterator[int]:
    """List the minutes of an hour since the epoch at which a window may begin or end, or the clock has been set."""
    local, before = _local(hour * _HOUR_S), _local((hour - 1) * _HOUR_S)
    if local.utcoffset() != before.utcoffset():
        yield 0
    yield from (m - local.hour * _HOUR_MIN for m in borders if m // _HOUR_MIN == local.hour)


def _borders(tariff: Tariff) -> frozenset[int]:
    """List at which minutes of the day windows may begin or end; none, if there is nothing but one price of each."""
    several = [fee for fee in FEES if len(tariff.rates(fee)) > 1]
    windows = [w for fee in several for r in tariff.rates(fee) for w in r.windows]
    borders = {m % DAY_MIN for w in windows for m in (w.start_min, w.end_min)}
    return frozenset(borders | {0} if several else ())


def _in_force(rates: Sequence[Rate], at: float | Fraction) -> int:
    """Tell which of a fee's rates holds. Raises ValueError if the tariff is not sound."""
    if len(rates) == 1:
        return 0
    local = _local(at)
    for i, rate in enumerate(rates):
        if any(w.holds(local) for w in rate.windows):
            return i
    raise ValueError(f"no price holds at {local}")


def _local(at: float | Fraction) -> datetime:
    return datetime.fromtimestamp(floor(at), UTC).astimezone(ZONE)


def _unit_ore(tariff: Tariff, rate: Rate, spot_ore: Fraction | None) -> Fraction:
    """Tell a rate's price, which is never below 0."""
    market = rate.market
    if market is None:
        return Fraction(rate.ore)
    if spot_ore is None:
        return Fraction(market.otherwise_ore)
    ore = max(spot_ore * (1 + Fraction(tariff.vat)) + Fraction(rate.ore), Fraction(market.least_ore))
    return ore if market.most_ore is None else min(ore, Fraction(market.most_ore))


def _spot_at(spot: Spot, at: float | Fraction) -> Fraction | None:
    """Tell the spot price at a time; None if it is not known."""
    if not spot or not spot[0][0] <= at < _end_of_spot(spot):
        return None
    # As it was written: a price has decimals, not binary digits.
    return Fraction(str(spot[bisect_right(spot, at, key=itemgetter(0)) - 1][1]))


def _end_of_spot(spot: Spot) -> int:
    """Tell until when the last price holds: as long as the one before it did, a lone one for an hour."""
    return spot[-1][0] + (spot[-1][0] - spot[-2][0] if len(spot) > 1 else _HOUR_S)


def _shared(total: int, parts: Sequence[Fraction]) -> list[int]:
    """Round parts so that their sum is the rounded total: those with the largest rests are rounded up."""
    shares = [floor(p) for p in parts]
    missing = total - sum(shares)
    for i in sorted(range(len(parts)), key=lambda i: shares[i] - parts[i])[:missing]:
        shares[i] += 1
    return shares
