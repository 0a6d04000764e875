"""People: signing up and in, and what they say of themselves."""

from epspot.notices.letters import LANGUAGES
from epspot.registry.people import CHOICES, TOLD_OF
from functions.api.schemas.common import (
    AMPERE,
    EMAIL,
    FLAG,
    ID,
    NAME,
    TEXT,
    TIME,
    VALIDITY,
    form,
    listed,
    maybe,
    ref,
    told,
)

_PASSWORD = {"type": "string", "minLength": 1, "maxLength": 256}
_CODE = {"type": "string", "pattern": "^[0-9]{6}$", "description": "From the mail"}
_SESSION = {"type": "string", "minLength": 1, "maxLength": 256, "description": "From the call that sent the code"}
_TOKEN = {"type": "string", "minLength": 1, "maxLength": 8192}
_LANGUAGE = {"enum": list(LANGUAGES)}
_CHOICES = {name: {"enum": list(CHOICES)} for name in TOLD_OF}
_URL = {"type": "string", "pattern": "^https://[^\\s]+$", "maxLength": 1024}
_NAMED = {"type": "string", "minLength": 1, "maxLength": 512}
_WATT_HOURS = {"type": "integer", "minimum": 1, "maximum": 10_000_000}
_CAR = {
    "name": NAME,
    "phases": {"enum": [1, 3]},
    "max_a": {"type": "number", "exclusiveMinimum": 0, "maximum": 1000},
}

SCHEMAS = {
    # ------------------------------------------------------------ signing up and in
    "SignUpForm": form({"email": EMAIL, "language": _LANGUAGE}, {"password": _PASSWORD, "name": NAME}),
    "CodeSent": told({"session": TEXT}),
    "CodeForm": form({"email": EMAIL, "session": _SESSION, "code": _CODE}),
    "AddressForm": form({"email": EMAIL}),
    "SignInForm": form({"email": EMAIL, "password": _PASSWORD}),
    "RefreshForm": form({"refresh_token": _TOKEN}),
    "PasswordForm": form({"email": EMAIL, "code": _CODE, "password": _PASSWORD}),
    "SignedIn": told(
        {
            "id_token": {"type": "string"},
            "refresh_token": {"type": ["string", "null"]},
            "expires_in_s": {"type": "integer"},
        }
    ),
    "IdentityProviderForm": {
        "oneOf": [
            form({"kind": {"const": "oidc"}, "issuer": _URL, "client_id": _NAMED, "client_secret": _NAMED}),
            form({"kind": {"const": "saml"}, "metadata_url": _URL}),
        ]
    },
    "IdentityProvider": told(
        {
            "kind": {"enum": ["oidc", "saml"]},
            "sign_in_url": {"type": "string", "description": "The app adds `state`, `code_challenge` and its method"},
            "issuer": _URL,
            "client_id": _NAMED,
            "metadata_url": _URL,
        },
        optional=("issuer", "client_id", "metadata_url"),
    ),
    # ------------------------------------------------------------ what they say of themselves
    "ProfileForm": form({"language": _LANGUAGE, "notify": form(_CHOICES)}, {"name": maybe(NAME)}),
    "Profile": told({"id": ID, "email": TEXT, "name": TEXT, "language": _LANGUAGE, "notify": told(_CHOICES)}),
    "VehicleForm": form(_CAR, {"battery_wh": maybe(_WATT_HOURS)}),
    "Vehicle": told({"id": ID, **_CAR, "battery_wh": maybe(_WATT_HOURS)}),
    "Vehicles": listed("Vehicle"),
    # ------------------------------------------------------------ what they may use
    "GrantToMe": told(
        {
            "id": TEXT,
            "owner": told({"id": ID, "name": TEXT}),
            "scope": TEXT,
            "role": TEXT,
            "capabilities": {"type": "array", "items": TEXT},
            "through": {"type": "string", "description": "`user`, `email`, or `group`"},
            **VALIDITY,
            "holds": FLAG,
        }
    ),
    "MembershipOfMine": told(
        {
            "owner": told({"id": ID, "name": TEXT}),
            "member": ID,
            "external_id": TEXT,
            "name": TEXT,
            "groups": {"type": "array", "items": TEXT},
            **VALIDITY,
            "holds": FLAG,
        }
    ),
    "MyAccess": told(
        {
            "grants": {"type": "array", "items": ref("GrantToMe")},
            "memberships": {"type": "array", "items": ref("MembershipOfMine")},
        }
    ),
    "Export": told(
        {
            "exported_at": TIME,
            "profile": ref("Profile"),
            "vehicles": {"type": "array", "items": ref("Vehicle")},
            "learned": told({"least_a": maybe(AMPERE), "wakes_by": TEXT}),
            "access": ref("MyAccess"),
            "sessions": {"type": "array", "items": ref("SessionRecord")},
        }
    ),
    "DeletionForm": form({"confirm": {"const": "delete"}}),
}
