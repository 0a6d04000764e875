"""Names from the machine's own source of chance."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26
_TYPED = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without I and 1, O and 0."""


class RandomIds:
    """``Ids``."""

    def new(self) -> str:
        """Make an id."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))

    def secret(self) -> str:
        """Make a secret."""
        return secrets.token_urlsafe(32)

    def code(self) -> str:
        """Make a code for people to type."""
        return "-".join("".join(secrets.choice(_TYPED) for _ in range(4)) for _ in range(3))
