"""A tariff as one JSON document: what its owner reads and changes, and what is kept. The two functions are inverses."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeAlias

from epspot.site.rules import ALWAYS, Window
from epspot.tariffs.model import FEES, Market, Rate, Tariff

Document: TypeAlias = Mapping[str, Any]
_WHOLE = ("hour_free_s", "idle_grace_s", "least_ore", "most_ore")


def document_of(tariff: Tariff) -> dict[str, Any]:
    """Write a tariff; what holds always has no windows."""
    told = {"name": tariff.name} | {fee: [_rate(r) for r in tariff.rates(fee)] for fee in FEES}
    return told | {name: getattr(tariff, name) for name in _WHOLE} | {"vat": _number(tariff.vat)}


def tariff_in(told: Document) -> Tariff:
    """Read a tariff from a document of the form ``TariffForm`` of the API; what is left out is as usual."""
    made: dict[str, Any] = {name: told[name] for name in _WHOLE if name in told}
    made |= {fee: tuple(_rate_in(r) for r in told.get(fee, ())) for fee in FEES}
    if "vat" in told:
        made["vat"] = _exact(told["vat"])
    return Tariff(name=told["name"], **made)


def _rate(rate: Rate) -> dict[str, Any]:
    told: dict[str, Any] = {"ore": _number(rate.ore)}
    if rate.windows != ALWAYS:
        told["windows"] = [_window(w) for w in rate.windows]
    if (market := rate.market) is not None:
        most = None if market.most_ore is None else _number(market.most_ore)
        bounds = {"least_ore": _number(market.least_ore), "most_ore": most}
        told["market"] = {"otherwise_ore": _number(market.otherwise_ore)} | bounds
    return told


def _rate_in(told: Document) -> Rate:
    market = told.get("market")
    windows = _windows(told["windows"]) if "windows" in told else ALWAYS
    if market is None:
        return Rate(_exact(told["ore"]), windows)
    amounts = {name: _exact(ore) for name, ore in market.items() if ore is not None}
    return Rate(_exact(told["ore"]), windows, Market(**amounts))


def _window(window: Window) -> dict[str, Any]:
    told = {f.name: getattr(window, f.name) for f in fields(window)}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in told.items()}


def _windows(told: Iterable[Document]) -> tuple[Window, ...]:
    made: list[dict[str, Any]] = [{n: tuple(v) if isinstance(v, list) else v for n, v in w.items()} for w in told]
    return tuple(Window(**w) for w in made)


def _exact(number: float) -> Decimal:
    """Read a number as it was written: 0.1 is a tenth."""
    return Decimal(str(number))


def _number(exact: Decimal) -> int | float:
    return int(exact) if exact == exact.to_integral_value() else float(exact)
