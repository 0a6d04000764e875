"""Let an owner's own system be asked before sessions start, or no longer."""

from dataclasses import dataclass, replace

from epspot.notices.signature import secret_text
from epspot.registry.authorisation import AUTHORISATION, Authorisation
from epspot.registry.kinds import Put, Remove
from epspot.registry.records import of_owner
from epspot.services.change_webhooks import Hooking
from epspot.services.changing import Actor, commit, deed_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What an owner says of the asking."""

    url: str
    timeout_ms: int
    on_silence: str


def find_authorisation(world: Hooking, owner: str) -> Authorisation | None:
    """Find where an owner's system is asked; None: it is not."""
    return world.changing.registry.get(AUTHORISATION, of_owner(owner), "")


def set_authorisation(
    world: Hooking, actor: Actor, owner: str, before: Authorisation | None, asked: Asked
) -> Authorisation:
    """Have an owner's system asked; the secret that was made at first stays. Raises InvalidRequest or Conflict."""
    world.posting.check(asked.url)
    secret = secret_text(world.changing.ids.secret()) if before is None else before.secret
    made_at = actor.at if before is None else before.made_at
    after = Authorisation(owner, asked.url, secret, asked.timeout_ms, asked.on_silence, made_at)
    commit(world.changing, actor, deed_of(owner, "authorisation.set"), Put(AUTHORISATION, before, after))
    return replace(after, version=1 if before is None else before.version + 1)


def remove_authorisation(world: Hooking, actor: Actor, before: Authorisation) -> None:
    """Ask no more. Raises Conflict."""
    commit(world.changing, actor, deed_of(before.owner, "authorisation.removed"), Remove(AUTHORISATION, before))
