"""Who can be granted something, as ids: nothing here tells a name or an address."""

from epspot.access.hashes import hashed


def plain_address(address: str) -> str:
    """Write an e-mail address as it is kept: case makes no other."""
    return address.strip().lower()


def email_hash(address: str) -> str:
    """Name whoever proves to have an e-mail address, whatever the case it is written in."""
    return hashed(plain_address(address))


def user_subject(user: str) -> str:
    """Name a user."""
    return f"user:{user}"


def email_subject(address: str) -> str:
    """Name whoever proves to have an e-mail address."""
    return f"email:{email_hash(address)}"


def group_subject(owner: str, group: str) -> str:
    """Name the members of an owner's user group."""
    return f"group:{owner}/{group}"
