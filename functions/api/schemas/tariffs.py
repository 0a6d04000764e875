"""Tariffs, and what is priced by them. Amounts are in öre with VAT inside."""

from epspot.tariffs.checking import MOST_ORE, MOST_WINDOWS
from functions.api.schemas.common import FLAG, ID, NAME, TIME, form, listed, maybe, ref, told

MOST_STRETCHES = 200
_ORE = {"type": "number", "minimum": 0, "maximum": MOST_ORE, "description": "Öre; at most four decimals"}
_ADDED = {**_ORE, "minimum": -MOST_ORE, "description": "Each, per hour or per kWh; with `market` what is added"}
_WHOLE_ORE = {"type": "integer", "minimum": 0, "maximum": MOST_ORE}
_SECONDS = {"type": "integer", "minimum": 0, "maximum": 31 * 86_400}
_NUMBER = {"type": "integer", "minimum": 1, "maximum": 999_999}
_RATES = {"type": "array", "items": ref("TariffRate"), "maxItems": MOST_WINDOWS}
_FEES = {
    "start": _RATES | {"description": "Once per session: what holds when it begins"},
    "hour": _RATES | {"description": "Per hour of the whole session"},
    "energy": _RATES | {"description": "Per kWh"},
    "idle": _RATES | {"description": "Per hour after the load is done, besides the hour fee"},
    "hour_free_s": _SECONDS,
    "idle_grace_s": _SECONDS,
    "least_ore": _WHOLE_ORE | {"description": "For a whole session"},
    "most_ore": maybe(_WHOLE_ORE),
    "vat": {"type": "number", "minimum": 0, "maximum": 1, "description": "0.25 is 25 %"},
}
_TELLING = {
    "id": ID,
    "version": _NUMBER,
    "valid_from": TIME,
    "currency": {"enum": ["SEK"]},
    "name": {"type": "string"},
}
_NOW = {"type": ["number", "null"], "description": "Öre; null: there is no such fee"}
_STRETCH = form(
    {"begin": TIME, "end": TIME}, {"energy_wh": {"type": "integer", "minimum": 0, "maximum": 10**9}, "idle": FLAG}
)
_SPOT = form({"from": TIME, "ore_per_kwh": {"type": "number", "minimum": -(10**6), "maximum": 10**6}})

SCHEMAS = {
    "TariffRate": form(
        {"ore": _ADDED},
        {
            "windows": {
                "type": "array",
                "items": ref("Window"),
                "minItems": 1,
                "maxItems": MOST_WINDOWS,
                "description": "When it holds, by Swedish time; left out: always",
            },
            "market": ref("TariffMarket"),
        },
    ),
    "TariffMarket": form({"otherwise_ore": _ORE}, {"least_ore": _ORE, "most_ore": maybe(_ORE)}),
    "TariffForm": form({"name": NAME}, _FEES),
    "Tariff": told(_TELLING | _FEES),
    "Tariffs": listed("Tariff"),
    "TariffPreview": form(
        {},
        {
            "tariff": ref("TariffForm"),
            "tariff_id": ID,
            "version": _NUMBER,
            "session": ID,
            "stretches": {"type": "array", "items": _STRETCH, "minItems": 1, "maxItems": MOST_STRETCHES},
            "spot": {
                "type": "array",
                "items": _SPOT,
                "maxItems": 1000,
                "description": "Spot prices without VAT for the stretches, in order",
            },
        },
    ),
    "TariffPrice": told(
        {
            "total_ore": {"type": "integer"},
            "vat_ore": {"type": "integer", "description": "Of the total"},
            "lines": {"type": "array", "items": ref("TariffLine")},
            "estimate": {**FLAG, "description": "Energy was taken to be even over the time of a session"},
            "assumed": {**FLAG, "description": "A spot price was not known: `otherwise_ore` was taken in its place"},
        }
    ),
    "TariffLine": told(
        {
            "what": {"enum": ["start", "hour", "energy", "idle", "least", "most"]},
            "rate": {"type": ["integer", "null"], "description": "Which of the fee's rates, from 0"},
            "quantity": {"type": "number"},
            "unit": {"enum": ["h", "kWh", ""]},
            "unit_ore": {"type": "number", "description": "Of a rate that follows the market the mean"},
            "amount_ore": {"type": "integer", "description": "The sum of all lines is the total"},
        }
    ),
    "PriceNow": told(
        {
            "tariff": ID,
            "version": _NUMBER,
            "name": {"type": "string"},
            "currency": {"enum": ["SEK"]},
            "start_ore": _NOW,
            "hour_ore": _NOW,
            "kwh_ore": _NOW,
            "idle_ore": _NOW,
            "assumed": {**FLAG, "description": "The spot price is not known: the price per kWh is a usual one"},
        }
    ),
}
