"""How tariffs and what is priced by them look: amounts in öre with VAT inside."""

from fractions import Fraction
from typing import Any

from epspot.registry.tariffs import OwnedTariff, TariffVersion
from epspot.services.tell_prices import Offer
from epspot.tariffs import Line, Price, document_of
from functions.api.render import time

CURRENCY = "SEK"
_DECIMALS = 4


def tariff(t: OwnedTariff) -> dict[str, Any]:
    """Render a tariff as it is now."""
    return _told(t, t.version)


def version(v: TariffVersion) -> dict[str, Any]:
    """Render a version of a tariff."""
    return _told(v, v.number)


def _told(t: OwnedTariff | TariffVersion, number: int) -> dict[str, Any]:
    known = {"id": t.id, "version": number, "valid_from": time(t.valid_from), "currency": CURRENCY}
    return known | document_of(t.tariff)


def offer(o: Offer | None) -> dict[str, Any] | None:
    """Render what an outlet asks for now."""
    if o is None:
        return None
    now = o.now
    fees = {"start_ore": now.start_ore, "hour_ore": now.hour_ore, "kwh_ore": now.energy_ore, "idle_ore": now.idle_ore}
    return {
        "tariff": o.version.id,
        "version": o.version.number,
        "name": o.tariff.name,
        "currency": CURRENCY,
        **{name: None if ore is None else number(ore) for name, ore in fees.items()},
        "assumed": now.assumed,
    }


def price(p: Price, *, estimate: bool) -> dict[str, Any]:
    """Render what a session costs."""
    lines = [_line(line) for line in p.lines]
    total = {"total_ore": p.total_ore, "vat_ore": p.vat_ore, "lines": lines}
    return total | {"estimate": estimate, "assumed": p.assumed}


def _line(line: Line) -> dict[str, Any]:
    return {
        "what": line.what,
        "rate": line.rate,
        "quantity": number(line.quantity),
        "unit": line.unit,
        "unit_ore": number(line.unit_ore),
        "amount_ore": line.amount_ore,
    }


def number(exact: Fraction) -> int | float:
    """Render a number with at most four decimals."""
    rounded = round(exact, _DECIMALS)
    return int(rounded) if rounded.denominator == 1 else float(rounded)
