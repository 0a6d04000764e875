"""Install outlets one by one, as an electrician does: bind a module to an outlet, change it, replace it, take it away."""

from collections.abc import Callable
from typing import Any

from epspot.errors import InvalidSite, OutletOccupied, OutletUnknown
from epspot.registry.site_document import Document, Reading, document_of, site_in
from epspot.services.authorize import Place
from epspot.services.changing import Actor
from epspot.services.edit_document import Configuring, Edit, SameVersion, any_version, change
from epspot.site import Outlet, Site


def bind_outlet(world: Configuring, actor: Actor, site: str, told: Document) -> tuple[Site, Outlet]:
    """Make an outlet of a module, found or still to be heard of; its id is ours. Raises as ``edit_site`` does."""
    id_ = world.changing.ids.new()
    edit = Edit("outlet.created", lambda now: _added(now, dict(told), id_), about=id_, made=id_)
    changed = change(world, actor, site, edit)
    return changed, changed.outlet[id_]


def change_outlet(
    world: Configuring, actor: Actor, site: str, outlet: str, told: Document, *, same: SameVersion
) -> tuple[Site, Outlet]:
    """Let an outlet be as its document says; without bridge and module it keeps those it has.

    Raises as ``edit_site`` does, OutletUnknown, and what ``same`` raises.
    """
    edit = Edit("outlet.changed", lambda now: _replaced(now, outlet, dict(told)), about=outlet)
    changed = change(world, actor, site, edit, same)
    return changed, changed.outlet[outlet]


def remove_outlet(world: Configuring, actor: Actor, site: str, outlet: str, same: SameVersion) -> Site:
    """Take an outlet away; its sessions stay in the history. Raises as ``change_outlet`` does."""
    return change(world, actor, site, Edit("outlet.removed", lambda now: _without(now, outlet), about=outlet), same)


def replace_module(world: Configuring, actor: Actor, place: Place, bridge: str, module: str) -> tuple[Site, Outlet]:
    """Let an outlet be metered and switched by another module.

    It keeps its id and history. The next session counts from the new module's register: what the two registers show has
    nothing to do with each other. Raises OutletOccupied while it has a session, and as ``edit_site`` does.
    """
    if place.site is None or place.live is None or place.outlet is None:
        raise LookupError(place.scope)
    outlet = place.outlet.id
    if place.live.session_at(outlet) is not None:
        raise OutletOccupied(
            "The outlet has a session. Stop it before the module is replaced.",
            "Uttaget har en pågående session. Stoppa den innan modulen byts.",
        )

    def make(present: Site) -> Reading:
        outlets, at = _find(present, outlet)
        return _replaced(present, outlet, outlets[at] | {"bridge": bridge, "module": module})

    edit = Edit("module.replaced", make, about=outlet)
    changed = change(world, actor, place.site.id, edit, any_version)
    return changed, changed.outlet[outlet]


def _added(present: Site, told: dict[str, Any], id_: str) -> Reading:
    outlets = document_of(present)["outlets"]
    return _edited(present, [*outlets, {n: v for n, v in told.items() if n != "id"}], len(outlets), lambda: id_)


def _replaced(present: Site, outlet: str, told: dict[str, Any]) -> Reading:
    if told.get("id") not in (None, outlet):
        raise InvalidSite(["id: this is the document of another outlet; leave the id out"])
    outlets, at = _find(present, outlet)
    outlets[at] = told | {"id": outlet}
    return _edited(present, outlets, at, lambda: outlet)


def _without(present: Site, outlet: str) -> Reading:
    outlets, at = _find(present, outlet)
    del outlets[at]
    return _edited(present, outlets, -1, lambda: outlet)


def _edited(present: Site, outlets: list[dict[str, Any]], at: int, new_id: Callable[[], str]) -> Reading:
    """Make the site with other outlets; problems with the one that is edited are said of itself."""
    try:
        site, places = site_in(document_of(present) | {"outlets": outlets}, present, new_id)
    except InvalidSite as error:
        where = f"outlets[{at}]"
        raise InvalidSite([p.replace(f"{where}.", "").replace(where, "the outlet") for p in error.problems]) from None
    return Reading(site, {o: "the outlet" for o, where in places.items() if where == f"outlets[{at}]"})


def _find(present: Site, outlet: str) -> tuple[list[dict[str, Any]], int]:
    """Find the documents of all outlets, and where that of one stands. Raises OutletUnknown."""
    outlets: list[dict[str, Any]] = document_of(present)["outlets"]
    at = next((i for i, o in enumerate(outlets) if o["id"] == outlet), None)
    if at is None:
        raise OutletUnknown(f"There is no outlet {outlet[:80]}.", f"Det finns inget uttag {outlet[:80]}.")
    return outlets, at
