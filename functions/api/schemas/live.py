"""Live updates."""

from functions.api.schemas.common import ID, TIME, form, told

SCHEMAS = {
    "LiveForm": form(
        {},
        {
            "site": ID,
            "channel": {
                "enum": ["public", "users", "owner"],
                "description": "`public`: public outlets, for everyone; `users`: all outlets, for who may use the whole "
                "site; `owner`: all figures and alarms, for who may view the site",
            },
            "session": ID,
        },
    ),
    "LiveAddress": told(
        {
            "address": {"type": "string", "description": "MQTT 3.1.1 or 5 over WebSocket; whoever has it may listen"},
            "client_id": {"type": "string", "description": "To connect as"},
            "topics": {"type": "array", "items": {"type": "string"}, "description": "To subscribe to, with QoS 0"},
            "expires_at": TIME,
            "watched_until": TIME,
        }
    ),
    "LiveUntil": told({"watched_until": TIME}),
}
