"""What is kept of secrets, addresses and codes: enough to know them again, and no way back."""

import hashlib


def hashed(text: str) -> str:
    """Make what is kept of something that need only be known again."""
    return hashlib.sha256(text.encode()).hexdigest()


def code_hash(text: str) -> str:
    """Name a printed code, in whatever case and with whatever hyphens it is typed."""
    return hashed("".join(c for c in text.upper() if c.isalnum()))
