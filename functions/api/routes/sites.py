"""Sites: as they are set, as they were, and as they are now."""

from typing import Any

from epspot.access import Capability
from epspot.errors import NotFound
from epspot.registry.records import OWNED_SITE, of_owner
from epspot.registry.site_document import document_of
from epspot.registry.sites import SITE_REVISION, of_site, revision_id
from epspot.services.authorize import may, site_at
from epspot.services.edit_document import make_site, replace_document
from epspot.services.register_owner import sites_of
from epspot.services.show_site import show_alarms, show_site
from epspot.site import Site
from functions.api.calls import Answer, Call, page
from functions.api.operations import Query, operation
from functions.api.render import sites as render

_TAG = "Sites"
_USERS = Query("users", "Whether to tell whose the sessions are, to those who may know", {"type": "boolean"})


def document(site: Site) -> Answer:
    """Render a site; its revision is its version."""
    return Answer(document_of(site), version=site.revision)


# ------------------------------------------------------------------ which there are


@operation("GET", "/v1/sites", "List the sites that one may view, wholly or in part", tag=_TAG, answer="SiteNames")
def list_sites(call: Call) -> Any:
    """List the caller's sites."""
    return page([render.site_name(s) for s in sites_of(call.world.gate, call.caller)], None)


@operation(
    "GET",
    "/v1/owners/{owner}/sites",
    "List the sites of an owner",
    tag=_TAG,
    needs=Capability.VIEW,
    on="owner",
    answer="SiteNames",
    paged=True,
)
def list_owned_sites(call: Call) -> Any:
    """List an owner's sites."""
    found = call.world.registry.under(OWNED_SITE, of_owner(call.here.owner), call.limit, call.cursor)
    return page([render.site_name(s) for s in found.items], found.next)


@operation(
    "POST",
    "/v1/owners/{owner}/sites",
    "Make a site: of its grid connection alone, or of a whole document, perhaps that of another site",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="NewSiteForm",
    status=201,
    answer="Site",
    creates=True,
    refusals=(422,),
)
def create_site(call: Call) -> Any:
    """Make a site; its id and those of its outlets are ours."""
    if call.made:
        made, _ = call.world.lives.load(call.made)
    else:
        made = make_site(call.world.configuring, call.actor, call.here.owner, call.body)
    return Answer(document_of(made), version=made.revision, headers={"Location": f"/v1/sites/{made.id}"})


# ------------------------------------------------------------------ as it is set


@operation(
    "GET",
    "/v1/sites/{site}",
    "Show all that is set at a site",
    tag=_TAG,
    needs=Capability.VIEW,
    on="site",
    answer="Site",
)
def show_site_document(call: Call) -> Any:
    """Show a site's document."""
    return document(site_at(call.here)[0])


@operation(
    "PUT",
    "/v1/sites/{site}",
    "Let a site be as a document says; refused whole, with every reason",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="site",
    body="Site",
    answer="Site",
    changes=True,
    refusals=(422,),
)
def put_site(call: Call) -> Any:
    """Change a site. Outlets are told apart by their ids; those without one are new."""
    site, _ = site_at(call.here)
    return document(replace_document(call.world.configuring, call.actor, site.id, call.body, call.check_version))


@operation(
    "GET",
    "/v1/sites/{site}/revisions",
    "List the revisions of a site, the newest first",
    tag=_TAG,
    needs=Capability.VIEW,
    on="site",
    answer="SiteRevisions",
    paged=True,
)
def list_revisions(call: Call) -> Any:
    """List who made which revision, and when."""
    site, _ = site_at(call.here)
    before = int(call.cursor) if call.cursor and call.cursor.isdecimal() else site.revision + 1
    newest = min(before - 1, site.revision)
    last = max(newest - call.limit, 0)
    known = call.world.registry.under(
        SITE_REVISION, of_site(site.id), call.limit, revision_id(newest + 1), newest_first=True
    )
    made = {r.revision: r for r in known.items}
    items = [render.revision(n, made.get(n)) for n in range(newest, last, -1)]
    return page(items, str(last + 1) if last else None)


@operation(
    "GET",
    "/v1/sites/{site}/revisions/{revision}",
    "Show a site as it was set at a revision",
    tag=_TAG,
    needs=Capability.VIEW,
    on="site",
    answer="Site",
)
def show_revision(call: Call) -> Any:
    """Show a site's document as it was."""
    site, _ = site_at(call.here)
    said = call.params["revision"]
    if not said.isdecimal() or not 0 < int(said[:9]) <= site.revision or len(said) > len(str(site.revision)):
        raise NotFound(
            f"The site has revisions 1 to {site.revision}.", f"Anläggningen har revisionerna 1 till {site.revision}."
        )
    return document(call.world.lives.configuration(site.id, int(said)))


# ------------------------------------------------------------------ as it is now


@operation(
    "GET",
    "/v1/sites/{site}/state",
    "Show a whole site as it is now: outlets, fuses, alarms, bridges",
    tag=_TAG,
    needs=Capability.VIEW,
    on="site",
    answer="SiteNow",
    query=(_USERS,),
)
def show_state(call: Call) -> Any:
    """Show the live state; whose the sessions are is told to administrators and finance only."""
    site, live = site_at(call.here)
    return render.site_now(show_site(site, live, call.language, call.world.sessions if _tells_users(call) else None))


def _tells_users(call: Call) -> bool:
    """Tell whether the caller asks for users and may know them."""
    gate, caller, here = call.world.gate, call.caller, call.here
    may_know = any(may(gate, caller, c, here) for c in (Capability.ADMINISTER, Capability.FINANCE))
    return may_know and bool(call.query.get("users", False))


@operation(
    "GET",
    "/v1/sites/{site}/alarms",
    "List what is wrong at a site now, the gravest first",
    tag=_TAG,
    needs=Capability.VIEW,
    on="site",
    answer="AlarmsNow",
)
def list_alarms(call: Call) -> Any:
    """List the alarms, in the caller's language."""
    site, live = site_at(call.here)
    return page([render.alarm(a) for a in show_alarms(site, live, call.language)], None)


@operation(
    "GET",
    "/v1/sites/{site}/sessions",
    "List what was had at a site, the newest first",
    tag=_TAG,
    needs=Capability.VIEW,
    on="site",
    answer="SiteSessions",
    query=(_USERS,),
    paged=True,
)
def list_site_sessions(call: Call) -> Any:
    """List the sessions of a site; whose they are is told to administrators and finance only."""
    found, rest = call.world.sessions.of_site(call.here.scope.id, call.limit, call.cursor)
    tells = _tells_users(call)
    return page([render.site_session(r, tells_user=tells) for r in found], rest)
