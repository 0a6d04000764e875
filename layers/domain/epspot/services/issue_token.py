"""Give another system a token, and take it back. Its secret is told once, and kept by nobody here."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from epspot.access import Capability, Scope
from epspot.errors import InvalidRequest, NotAllowed, NotFound
from epspot.registry.kinds import Page, Put
from epspot.registry.records import TOKEN, Token, of_owner, of_token
from epspot.services.authorize import Caller, Gate, Place, may_until, place_of
from epspot.services.changing import Actor, Changing, Deed, commit
from epspot.services.retrying import until_written
from epspot.services.show_token import secret_hash, token_text


@dataclass(frozen=True, slots=True)
class Issuing:
    """What it takes to give tokens."""

    changing: Changing
    gate: Gate


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token is to be."""

    name: str
    capabilities: Collection[Capability]
    scope: str
    ends_at: float | None
    per_minute: int


def issue_token(world: Issuing, actor: Actor, caller: Caller, owner: str, wanted: Wanted) -> tuple[Token, str]:
    """Make a token of an owner's, and the text that is shown once.

    Raises InvalidRequest, NotFound, or NotAllowed: nobody gives more than they have, or for longer.
    """
    if wanted.ends_at is not None and wanted.ends_at <= actor.at:
        raise InvalidRequest("ends_at has passed already.", "ends_at har redan passerat.")
    scope = Scope.read(wanted.scope)
    place = place_of(world.gate, scope)
    if place.owner != owner:
        raise NotFound(f"The owner has no {scope}.", f"{scope} finns inte hos ägaren.")
    _check_has(world.gate, caller, place, wanted)
    id_, secret = world.changing.ids.new(), world.changing.ids.secret()
    token = Token(
        id=id_,
        owner=owner,
        name=wanted.name,
        secret_hash=secret_hash(secret),
        capabilities=tuple(sorted(c.value for c in wanted.capabilities)),
        scope=str(scope),
        made_at=actor.at,
        ends_at=wanted.ends_at,
        per_minute=wanted.per_minute,
    )
    deed = Deed(owner, str(scope), "token.created", f"token:{id_}")
    commit(world.changing, actor, deed, Put(TOKEN, None, token), made=id_)
    return replace(token, version=1), token_text(id_, secret)


def _check_has(gate: Gate, caller: Caller, place: Place, wanted: Wanted) -> None:
    """Refuse a capability that the caller has not, or has not for as long. Raises NotAllowed."""
    for capability in sorted(wanted.capabilities):
        if not may_until(gate, caller, capability, place, wanted.ends_at):
            raise NotAllowed(
                f"You can't give {capability.value} there: you do not have it yourself, or not for as long.",
                f"Du kan inte ge rättigheten {capability.value} där: du har den inte själv, eller inte så länge.",
            )


def tokens_of(world: Issuing, owner: str, limit: int, after: str | None) -> Page[Token]:
    """List an owner's tokens, those that are revoked or over included."""
    return world.changing.registry.also_under(TOKEN, of_owner(owner), limit, after)


def token_of(world: Issuing, owner: str, id_: str) -> Token:
    """Find a token of an owner's. Raises NotFound."""
    token = world.changing.registry.get(TOKEN, of_token(id_), "")
    if token is None or token.owner != owner:
        raise NotFound("The owner has no token with this id.", "Ägaren har ingen nyckel med detta id.")
    return token


def revoke_token(world: Issuing, actor: Actor, owner: str, id_: str) -> Token:
    """Let a token let nobody in any more, from now on; it stays in the list. Raises NotFound."""

    def attempt() -> Token:
        token = token_of(world, owner, id_)
        if token.revoked_at is not None:
            return token
        after = replace(token, revoked_at=actor.at)
        commit(
            world.changing, actor, Deed(owner, token.scope, "token.revoked", f"token:{id_}"), Put(TOKEN, token, after)
        )
        return replace(after, version=token.version + 1)

    # Its use may just be noted.
    return until_written(attempt)
