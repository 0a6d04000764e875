"""Outlets as they are installed: one by one, or all of them as a table."""

from typing import Any

from epspot.access import Capability
from epspot.errors import OutletUnknown
from epspot.registry.outlet_table import table_of
from epspot.registry.site_document import outlet_document
from epspot.services.authorize import site_at, unknown
from epspot.services.bind_outlet import bind_outlet, change_outlet, remove_outlet, replace_module
from epspot.services.edit_document import TableChange, preview_table, replace_table
from epspot.site import Outlet, Site
from functions.api.calls import Answer, Call
from functions.api.operations import Query, operation

_TAG = "Installation"
_CSV = "text/csv; charset=utf-8"
_PREVIEW = Query("preview", "Tell only what would change", {"type": "boolean"})


def _one(site: Site, outlet: Outlet, **headers: str) -> Answer:
    """Render an outlet; its version is that of its site."""
    return Answer(outlet_document(site, outlet), version=site.revision, headers=headers)


# ------------------------------------------------------------------ one by one


@operation(
    "POST",
    "/v1/sites/{site}/outlets",
    "Bind a module to a new outlet",
    tag=_TAG,
    needs=Capability.MAINTAIN,
    on="site",
    body="OutletBindingForm",
    status=201,
    answer="Outlet",
    creates=True,
    refusals=(422,),
)
def create_outlet(call: Call) -> Any:
    """Make an outlet of a module, found or still to be heard of."""
    site, _ = site_at(call.here)
    if call.made:
        # Perhaps a moment ago: what the caller was let in by does not have it yet.
        site, _ = call.world.lives.load(site.id)
        outlet = _find(site, call.made)
    else:
        site, outlet = bind_outlet(call.world.configuring, call.actor, site.id, call.body)
    return _one(site, outlet, Location=f"/v1/sites/{site.id}/outlets/{outlet.id}")


@operation(
    "GET",
    "/v1/sites/{site}/outlets/{outlet}",
    "Show all that is set at an outlet",
    tag=_TAG,
    needs=Capability.VIEW,
    on="outlet",
    answer="Outlet",
)
def show_outlet(call: Call) -> Any:
    """Show an outlet's document."""
    site, _ = _at_its_site(call)
    return _one(site, _find(site, call.params["outlet"]))


@operation(
    "PUT",
    "/v1/sites/{site}/outlets/{outlet}",
    "Let an outlet be as its document says",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="site",
    body="Outlet",
    answer="Outlet",
    changes=True,
    refusals=(422,),
)
def put_outlet(call: Call) -> Any:
    """Change an outlet; the version is that of its site."""
    site, outlet = call.params["site"], call.params["outlet"]
    return _one(*change_outlet(call.world.configuring, call.actor, site, outlet, call.body, same=call.check_version))


@operation(
    "DELETE",
    "/v1/sites/{site}/outlets/{outlet}",
    "Take an outlet away",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="site",
    status=204,
    changes=True,
    refusals=(422,),
)
def delete_outlet(call: Call) -> Any:
    """Take an outlet away; its sessions stay in the history."""
    site, outlet = call.params["site"], call.params["outlet"]
    left = remove_outlet(call.world.configuring, call.actor, site, outlet, call.check_version)
    return Answer(None, version=left.revision)


@operation(
    "PUT",
    "/v1/sites/{site}/outlets/{outlet}/module",
    "Let an outlet have another module: it keeps its id and history, and starts a new register",
    tag=_TAG,
    needs=Capability.MAINTAIN,
    on="outlet",
    body="ModuleForm",
    answer="Outlet",
    refusals=(409, 422),
)
def put_module(call: Call) -> Any:
    """Replace an outlet's module."""
    _at_its_site(call)
    return _one(*replace_module(call.world.configuring, call.actor, call.here, **call.body))


def _at_its_site(call: Call) -> Any:
    """Take the outlet's site, if it is the one that the path names. Raises NotFound."""
    site, live = site_at(call.here)
    if site.id != call.params["site"]:
        raise unknown(call.here.scope)
    return site, live


def _find(site: Site, outlet: str) -> Outlet:
    if outlet not in site.outlet:
        raise OutletUnknown("The outlet has been taken away again.", "Uttaget har tagits bort igen.")
    return site.outlet[outlet]


# ------------------------------------------------------------------ as a table


@operation(
    "GET",
    "/v1/sites/{site}/outlets.csv",
    "Get the outlets of a site as a table",
    tag=_TAG,
    needs=Capability.VIEW,
    on="site",
    answer="OutletTable",
    media=_CSV,
)
def get_outlet_table(call: Call) -> Any:
    """Write the outlets as CSV."""
    site, _ = site_at(call.here)
    named = {"Content-Disposition": 'attachment; filename="outlets.csv"'}
    return Answer(table_of(site), version=site.revision, headers=named)


@operation(
    "PUT",
    "/v1/sites/{site}/outlets.csv",
    "Let the outlets of a site be as a table says; refused whole, with every reason by its line",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="site",
    body="OutletTable",
    takes="text/csv",
    answer="OutletTableChange",
    query=(_PREVIEW,),
    changes=True,
    refusals=(422,),
)
def put_outlet_table(call: Call) -> Any:
    """Change the outlets; what a table has no column for stays as it is."""
    site, live = site_at(call.here)
    if call.query.get("preview", False):
        return Answer(_table_change(preview_table(site, live, call.body)), version=site.revision)
    changed, told = replace_table(call.world.configuring, call.actor, site.id, call.body, call.check_version)
    return Answer(_table_change(told), version=changed.revision)


def _table_change(c: TableChange) -> dict[str, Any]:
    told = {"added": c.added, "changed": c.changed, "removed": c.removed}
    return {name: [dict(o) for o in outlets] for name, outlets in told.items()} | {"problems": c.problems}
