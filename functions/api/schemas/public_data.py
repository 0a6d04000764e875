"""Public data about charging points, in the forms that OCPI 2.2.1 has given them."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.api.schemas.common import Schema, ref, told

_TIME: Schema = {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$"}
_URL: Schema = {"type": "string", "maxLength": 255}
_COORDINATES = told(
    {
        "latitude": {"type": "string", "pattern": "^-?[0-9]{1,2}\\.[0-9]{5,7}$"},
        "longitude": {"type": "string", "pattern": "^-?[0-9]{1,3}\\.[0-9]{5,7}$"},
    }
)


def _text(most: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _closed(properties: Mapping[str, Any], optional: Sequence[str] = ()) -> Schema:
    return {**told(properties, optional), "additionalProperties": False}


def _enveloped(data: Any) -> Schema:
    """Put what is told into OCPI's own form."""
    return _closed(
        {
            "data": data,
            "status_code": {"const": 1000},
            "status_message": {"type": "string"},
            "timestamp": _TIME,
        }
    )


def _several(name: str) -> Schema:
    return _enveloped({"type": "array", "items": ref(name)})


_VERSION = {"version": {"const": "2.2.1"}, "url": _URL}
_MONEY: Schema = {"type": "number", "minimum": 0}
_PRICE = _closed({"excl_vat": _MONEY, "incl_vat": _MONEY})
_CLOCK: Schema = {"type": "string", "pattern": "^([0-1][0-9]|2[0-3]):[0-5][0-9]$"}
_COMPONENT = _closed(
    {
        "type": {"enum": ["FLAT", "ENERGY", "TIME", "PARKING_TIME"]},
        "price": {**_MONEY, "description": "SEK without VAT"},
        "vat": {**_MONEY, "description": "Per cent"},
        "step_size": {"const": 1},
    }
)
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_ENDPOINT = {"identifier": {"enum": ["locations", "tariffs"]}, "role": {"const": "SENDER"}, "url": _URL}

SCHEMAS = {
    "OcpiConnector": _closed(
        {
            "id": _text(36),
            "standard": {"enum": ["IEC_62196_T2"]},
            "format": {"enum": ["SOCKET"]},
            "power_type": {"enum": ["AC_1_PHASE", "AC_3_PHASE"]},
            "max_voltage": {"type": "integer", "minimum": 0},
            "max_amperage": {"type": "integer", "minimum": 0},
            "max_electric_power": {"type": "integer", "minimum": 0},
            "last_updated": _TIME,
            "tariff_ids": {"type": "array", "items": _text(36), "minItems": 1},
        },
        optional=("tariff_ids",),
    ),
    "OcpiEvse": _closed(
        {
            "uid": _text(36),
            "evse_id": {"type": "string", "pattern": "^[A-Z]{2}\\*[A-Z0-9]{3}\\*E[A-Z0-9*]+$", "maxLength": 48},
            "status": {"enum": ["AVAILABLE", "BLOCKED", "CHARGING", "UNKNOWN"]},
            "connectors": {"type": "array", "items": ref("OcpiConnector"), "minItems": 1},
            "coordinates": _COORDINATES,
            "physical_reference": _text(16),
            "last_updated": _TIME,
        }
    ),
    "OcpiLocation": _closed(
        {
            "country_code": _text(2),
            "party_id": _text(3),
            "id": _text(36),
            "publish": {"const": True},
            "name": _text(255),
            "address": _text(45),
            "city": _text(45),
            "postal_code": _text(10),
            "country": _text(3),
            "coordinates": _COORDINATES,
            "evses": {"type": "array", "items": ref("OcpiEvse"), "minItems": 1},
            "operator": _closed({"name": _text(100)}),
            "time_zone": _text(255),
            "last_updated": _TIME,
        },
        optional=("postal_code", "operator"),
    ),
    "OcpiVersions": _enveloped({"type": "array", "items": _closed(_VERSION)}),
    "OcpiVersion": _enveloped(
        _closed({"version": {"const": "2.2.1"}, "endpoints": {"type": "array", "items": _closed(_ENDPOINT)}})
    ),
    "OcpiLocations": _several("OcpiLocation"),
    "OcpiOneLocation": _enveloped(ref("OcpiLocation")),
    "OcpiOneEvse": _enveloped(ref("OcpiEvse")),
    "OcpiOneConnector": _enveloped(ref("OcpiConnector")),
    "OcpiTariff": _closed(
        {
            "country_code": _text(2),
            "party_id": _text(3),
            "id": _text(36),
            "currency": {"const": "SEK"},
            "tariff_alt_text": {"type": "array", "items": _closed({"language": _text(2), "text": _text(512)})},
            "min_price": _PRICE,
            "max_price": _PRICE,
            "elements": {"type": "array", "items": ref("OcpiTariffElement"), "minItems": 1},
            "end_date_time": _TIME,
            "last_updated": _TIME,
        },
        optional=("min_price", "max_price", "end_date_time"),
    ),
    "OcpiTariffElement": _closed(
        {
            "price_components": {"type": "array", "items": _COMPONENT, "minItems": 1},
            "restrictions": _closed(
                {
                    "start_time": _CLOCK,
                    "end_time": _CLOCK,
                    "max_duration": {"type": "integer", "minimum": 1},
                    "day_of_week": {"type": "array", "items": {"enum": list(DAYS)}, "minItems": 1},
                },
                optional=("start_time", "end_time", "max_duration", "day_of_week"),
            ),
        },
        optional=("restrictions",),
    ),
    "OcpiTariffs": _several("OcpiTariff"),
}
