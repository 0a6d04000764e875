"""What other systems are told of by themselves, and what they are asked."""

from epspot.notices.webhooks import EVENTS, TEST
from epspot.registry.authorisation import ALLOW, DENY
from epspot.registry.webhooks import STATUSES
from functions.api.schemas.common import FLAG, ID, TIME, form, listed, maybe, told

_URL = {"type": "string", "minLength": 1, "maxLength": 2000, "description": "https, to a public address"}
_EVENTS = {
    "type": "array",
    "items": {"enum": list(EVENTS)},
    "minItems": 1,
    "maxItems": len(EVENTS),
    "uniqueItems": True,
}
_SECRET = {
    "type": "string",
    "description": "Messages are signed with it (standardwebhooks.com). Keep it: it is told this once",
}
_WEBHOOK = {
    "id": ID,
    "url": {"type": "string"},
    "events": _EVENTS,
    "active": FLAG,
    "made_at": TIME,
    "failing_since": maybe(TIME),
}
_TIMEOUT_MS = {"type": "integer", "minimum": 200, "maximum": 3000}
_ON_SILENCE = {"enum": [ALLOW, DENY], "description": "What holds if there is no answer that can be understood"}

SCHEMAS = {
    "WebhookForm": form({"url": _URL, "events": _EVENTS}, {"active": FLAG}),
    "Webhook": told(_WEBHOOK),
    "WebhookMade": told(_WEBHOOK | {"secret": _SECRET}),
    "Webhooks": listed("Webhook"),
    "WebhookDelivery": told(
        {
            "id": {"type": "string", "description": "The header `webhook-id` of the message"},
            "event": {"enum": [*EVENTS, TEST]},
            "at": TIME,
            "status": {"enum": list(STATUSES)},
            "attempts": {"type": "integer"},
            "next_at": maybe(TIME),
            "answered": {"type": ["integer", "null"], "description": "The HTTP status of the newest answer"},
            "problem": {
                "type": ["string", "null"],
                "description": "Why there was none: address, unreachable, tls, timeout, broken or inactive",
            },
            "message": {"type": "object", "description": "What is sent"},
        }
    ),
    "WebhookDeliveries": listed("WebhookDelivery"),
    "AuthorisationForm": form({"url": _URL, "on_silence": _ON_SILENCE}, {"timeout_ms": _TIMEOUT_MS}),
    "Authorisation": told(
        {
            "url": {"type": ["string", "null"], "description": "null: nobody is asked"},
            "timeout_ms": {"type": ["integer", "null"]},
            "on_silence": maybe(_ON_SILENCE),
            "made_at": maybe(TIME),
            "secret": _SECRET,
        },
        optional=("secret",),
    ),
}
