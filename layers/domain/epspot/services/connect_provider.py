"""Let people sign in through their owner's own identity provider, and take its word with this owner alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from epspot.errors import NotFound, NotSignedIn
from epspot.ports import Person, Providers, Registry
from epspot.registry.identity_providers import IDENTITY_PROVIDER, IdentityProvider
from epspot.registry.kinds import Put, Remove
from epspot.registry.records import of_owner
from epspot.services.changing import Actor, Changing, commit, deed_of

_ABOUT = "identity-provider"


@dataclass(frozen=True, slots=True)
class Connecting:
    """What it takes to let providers in."""

    changing: Changing
    providers: Providers


def provider_of(registry: Registry, owner: str) -> IdentityProvider | None:
    """Find an owner's provider."""
    return registry.get(IDENTITY_PROVIDER, of_owner(owner), "")


def connect_provider(
    world: Connecting,
    actor: Actor,
    before: IdentityProvider | None,
    after: IdentityProvider,
    details: Mapping[str, str],
) -> IdentityProvider:
    """Let a provider in, or change it. Raises InvalidRequest or Conflict."""
    known = "" if before is None else before.client
    client = world.providers.connect(after.owner, after.kind, details, known)
    written = replace(after, client=client, made_at=actor.at if before is None else before.made_at)
    what = "identity_provider.created" if before is None else "identity_provider.changed"
    commit(world.changing, actor, deed_of(after.owner, what, _ABOUT), Put(IDENTITY_PROVIDER, before, written))
    return replace(written, version=1 if before is None else before.version + 1)


def disconnect_provider(world: Connecting, actor: Actor, known: IdentityProvider) -> None:
    """Let nobody in through a provider any more, at once. Raises Conflict."""
    # First what counts at once: the tokens of its users are no more taken.
    commit(
        world.changing,
        actor,
        deed_of(known.owner, "identity_provider.removed", _ABOUT),
        Remove(IDENTITY_PROVIDER, known),
    )
    world.providers.disconnect(known.owner, known.client)


def check_vouched(registry: Registry, person: Person) -> None:
    """Refuse who came through a provider that is not let in, or not by the way that is its own. Raises NotSignedIn."""
    known = provider_of(registry, person.provider)
    if known is None or known.client != person.client:
        raise NotSignedIn(
            "Signing in through this provider is not possible any more.",
            "Det går inte längre att logga in via den här inloggningstjänsten.",
        )


def no_provider() -> NotFound:
    """Refuse to show a provider that there is not."""
    return NotFound("The owner has no identity provider.", "Ägaren har ingen egen inloggningstjänst.")
