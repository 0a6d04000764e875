"""Who is calling: a user with an id token of the user pool, another system with an integration token, or nobody."""

from typing import Any

from chalice.app import Request

from epspot.access.subjects import email_hash, user_subject
from epspot.errors import NotSignedIn
from epspot.services.authorize import Caller
from epspot.services.connect_provider import check_vouched
from epspot.services.show_token import PREFIX, show_token


def caller_of(world: Any, request: Request) -> Caller:
    """Find out who is calling. Raises NotSignedIn or TooOften."""
    shown = request.headers.get("authorization", "").strip()
    shown = shown[7:].strip() if shown[:7].lower() == "bearer " else shown
    if not shown:
        raise NotSignedIn(
            "Sign in, and send the id token in the Authorization header.",
            "Logga in, och skicka id-token i HTTP-huvudet Authorization.",
        )
    if shown.startswith(PREFIX):
        token = show_token(world.doorkeeping, shown)
        return Caller(subject=f"token:{token.id}", token=token)
    person = world.identity.verify(shown)
    if person.provider:
        check_vouched(world.registry, person)
    return Caller(
        subject=user_subject(person.user),
        email_hash=email_hash(person.email) if person.email else "",
        vouched_by=person.provider,
    )
