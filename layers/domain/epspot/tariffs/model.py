"""The parts of a tariff, and what of a session it puts a price on.

Amounts are in öre with VAT inside; rates may have decimals. Windows are of Swedish local time, whatever site it is.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from epspot.site.rules import ALWAYS, Window

ZONE = ZoneInfo("Europe/Stockholm")
"""Its clock differs from UTC by whole hours, and is set at a full one: ``calculator`` rests on that."""
NOTHING = Decimal(0)

FEES = ("start", "hour", "energy", "idle")


@dataclass(frozen=True, slots=True)
class Market:
    """How a price per kWh follows the spot price: that with VAT, plus what the rate says, within bounds."""

    otherwise_ore: Decimal
    """What holds while the spot price is not known."""
    least_ore: Decimal = NOTHING
    most_ore: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A price of one fee, and when it holds."""

    ore: Decimal
    """Each, per hour or per kWh, as the fee is; where it follows the market, what is added (perhaps less than 0)."""
    windows: tuple[Window, ...] = ALWAYS
    market: Market | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What an owner asks for. Of each fee exactly one rate holds at any time; a fee without rates is not asked for."""

    name: str
    start: tuple[Rate, ...] = ()
    """Once per session: what holds when it begins."""
    hour: tuple[Rate, ...] = ()
    """Per hour from its beginning to its end, whether or not anything is drawn."""
    energy: tuple[Rate, ...] = ()
    """Per kWh."""
    idle: tuple[Rate, ...] = ()
    """Per hour after the load is done; besides the hour fee."""
    hour_free_s: int = 0
    """For so long from its beginning no hour fee is asked for."""
    idle_grace_s: int = 0
    """So much of a session's idle time, taken together, is free of the idle fee."""
    least_ore: int = 0
    most_ore: int | None = None
    """For a whole session."""
    vat: Decimal = Decimal("0.25")
    """Inside all prices, but not inside the spot price."""

    def rates(self, fee: str) -> tuple[Rate, ...]:
        """Tell the rates of a fee, one of ``FEES``."""
        return {"start": self.start, "hour": self.hour, "energy": self.energy, "idle": self.idle}[fee]

    @property
    def follows_market(self) -> bool:
        """Whether anything of it depends on the spot price."""
        return any(r.market is not None for r in self.energy)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a session; its energy is taken to be even over it. Times are epoch seconds."""

    begin: float
    end: float
    energy_wh: int | Fraction = 0
    idle: bool = False
    """The load is done."""
