"""Keep an owner's tariffs: every change makes a new version, and what has begun goes on by the old one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from epspot.access import Level, Scope
from epspot.errors import InvalidRequest, InvalidTariff, NotFound, TariffUsed
from epspot.ports import Lives, Registry
from epspot.registry.kinds import Change, Page, Put, Remove
from epspot.registry.records import OWNED_SITE, of_owner
from epspot.registry.tariffs import OWNED_TARIFF, TARIFF_VERSION, OwnedTariff, TariffVersion, of_tariff, version_id
from epspot.services.changing import Actor, Changing, Deed, commit
from epspot.services.listing import everything
from epspot.site import Outlet, Site
from epspot.tariffs import Tariff, document_of, problems_of, tariff_in

MOST = 100
"""How many tariffs an owner may have."""


@dataclass(frozen=True, slots=True)
class Tariffing:
    """What it takes to keep tariffs."""

    changing: Changing
    lives: Lives

    @property
    def registry(self) -> Registry:
        """Where they are kept."""
        return self.changing.registry


def make_tariff(world: Tariffing, actor: Actor, owner: str, told: Mapping[str, Any]) -> OwnedTariff:
    """Make a tariff. Raises InvalidTariff, InvalidRequest or Conflict."""
    document = document_of(sound(tariff_in(told)))
    if len(world.registry.under(OWNED_TARIFF, of_owner(owner), MOST).items) >= MOST:
        raise InvalidRequest(f"An owner has at most {MOST} tariffs. Change one of them, or take one away.")
    made = OwnedTariff(world.changing.ids.new(), owner, document, actor.at)
    return _put(world, actor, "tariff.created", None, made)


def change_tariff(world: Tariffing, actor: Actor, before: OwnedTariff, told: Mapping[str, Any]) -> OwnedTariff:
    """Make a new version, for sessions that begin from now on. Raises InvalidTariff or Conflict."""
    tariff = sound(tariff_in(told))
    if tariff == before.tariff:
        return before
    after = replace(before, document=document_of(tariff), valid_from=actor.at)
    return _put(world, actor, "tariff.changed", before, after)


def remove_tariff(world: Tariffing, actor: Actor, tariff: OwnedTariff) -> None:
    """Take a tariff away; its versions are kept, for what was had by them. Raises TariffUsed or Conflict."""
    if where := next(_users(world, tariff), None):
        raise TariffUsed(
            f"{where} has this tariff. Give it another one first.",
            f"{where} har den här prislistan. Ge en annan prislista där först.",
        )
    commit(world.changing, actor, _deed(tariff.owner, "tariff.removed"), Remove(OWNED_TARIFF, tariff))


def sound(tariff: Tariff) -> Tariff:
    """Return a tariff by which every session can be priced. Raises InvalidTariff."""
    if problems := problems_of(tariff):
        raise InvalidTariff(problems)
    return tariff


def _put(world: Tariffing, actor: Actor, what: str, before: OwnedTariff | None, after: OwnedTariff) -> OwnedTariff:
    after = replace(after, version=(0 if before is None else before.version) + 1)
    version = TariffVersion(after.id, after.owner, after.version, after.document, after.valid_from)
    changes: list[Change] = [Put(OWNED_TARIFF, before, after), Put(TARIFF_VERSION, None, version)]
    commit(world.changing, actor, _deed(after.owner, what), *changes, made=after.id)
    return after


def _deed(owner: str, what: str) -> Deed:
    return Deed(owner, str(Scope(Level.OWNER, owner)), what)


def _users(world: Tariffing, tariff: OwnedTariff) -> Iterator[str]:
    """Name the outlets and groups that have a tariff."""
    for owned in everything(world.registry, OWNED_SITE, of_owner(tariff.owner)):
        try:
            site, _ = world.lives.load(owned.site)
        except NotFound:
            continue  # it has just been taken away
        yield from (f"Outlet {o.number} of {site.name}" for o in site.outlets if o.tariff == tariff.id)
        yield from (f"Group {g.name} of {site.name}" for g in site.groups if g.tariff == tariff.id)


# ------------------------------------------------------------------ reading


def tariff_of(registry: Registry, owner: str, tariff: str) -> OwnedTariff:
    """Find a tariff of an owner's. Raises NotFound."""
    found = registry.get(OWNED_TARIFF, of_owner(owner), tariff)
    if found is None:
        raise _unknown()
    return found


def versions_of(registry: Registry, owner: str, tariff: str, limit: int, cursor: str | None) -> Page[TariffVersion]:
    """List the versions of a tariff, the newest first. Raises NotFound."""
    tariff_of(registry, owner, tariff)
    return registry.under(TARIFF_VERSION, of_tariff(tariff), limit, cursor, newest_first=True)


def version_of(registry: Registry, owner: str, tariff: str, number: int | None = None) -> TariffVersion:
    """Find a version of a tariff, also of one that was taken away; without a number the newest. Raises NotFound."""
    if number is None:
        found = newest_of(registry, owner, tariff)
    else:
        found = registry.get(TARIFF_VERSION, of_tariff(tariff), version_id(number))
    if found is None or found.owner != owner:
        raise _unknown()
    return found


def newest_of(registry: Registry, owner: str, tariff: str) -> TariffVersion | None:
    """Find the version that is in force; also of a tariff that was taken away just when an outlet got it."""
    found = registry.under(TARIFF_VERSION, of_tariff(tariff), 1, newest_first=True).items
    return found[0] if found and found[0].owner == owner else None


@dataclass(slots=True)
class Newest:
    """The newest versions of tariffs, each read once."""

    registry: Registry
    known: dict[tuple[str, str], TariffVersion | None] = field(default_factory=dict)

    def at(self, site: Site, outlet: Outlet) -> TariffVersion | None:
        """Find the version that is in force at an outlet; None if it has no tariff."""
        tariff = site.tariff_of(outlet)
        if tariff is None:
            return None
        key = (site.owner, tariff)
        if key not in self.known:
            self.known[key] = newest_of(self.registry, *key)
        return self.known[key]


def binding_tariff(registry: Registry | None, site: Site, outlet: str) -> str:
    """Name the tariff version by which a session that begins now is priced; nothing, if the outlet has no tariff."""
    found = None if registry is None else Newest(registry).at(site, site.outlet[outlet])
    return "" if found is None else found.name


def follows_market(registry: Registry | None, site: Site) -> bool:
    """Tell whether a tariff of an outlet of the site depends on the spot price."""
    if registry is None:
        return False
    newest = Newest(registry)
    return any(v.tariff.follows_market for o in site.outlets if (v := newest.at(site, o)) is not None)


def unknown_tariffs(registry: Registry, present: Site | None, new: Site) -> list[str]:
    """Tell which outlets and groups of a site newly get a tariff that its owner has not."""
    had = {} if present is None else {("o", o.id): o.tariff for o in present.outlets}
    had |= {} if present is None else {("g", g.id): g.tariff for g in present.groups}
    named = [(("o", o.id), o.tariff, f"outlet {o.id}: tariff") for o in new.outlets]
    named += [(("g", g.id), g.tariff, f"groups[{i}].tariff:") for i, g in enumerate(new.groups)]
    given = [(tariff, where) for key, tariff, where in named if tariff and tariff != had.get(key)]
    if not given:
        return []
    known = {t.id for t in everything(registry, OWNED_TARIFF, of_owner(new.owner))}
    return [f"{where} {tariff} is none of the owner's tariffs" for tariff, where in given if tariff not in known]


def _unknown() -> NotFound:
    return NotFound(
        "The owner has no such tariff. The list of tariffs has those that there are.",
        "Ägaren har ingen sådan prislista. Se listan över prislistor.",
    )
