"""Access codes: printed, typed in, and worth a right."""

from typing import Any

from epspot.access import Role
from epspot.registry.access_codes import AccessCode
from epspot.services.give_grant import check_gift
from epspot.services.make_code import code_of, end_code, lasts_until, list_codes, make_code, no_code
from epspot.services.redeem_code import redeem_code
from functions.api.calls import Answer, Call, page
from functions.api.operations import Query, operation
from functions.api.render import access as render
from functions.api.routes.grants import SCOPE, check_administers, gift_of, place_in, scope_asked

_ALL = "/v1/owners/{owner}/access-codes"
_ONE = f"{_ALL}/{{code_id}}"
_TAG = "Access"
_REVOKE = Query("revoke", "Take away what the code has given, too", {"type": "boolean"})


@operation(
    "POST",
    _ALL,
    "Make an access code",
    tag=_TAG,
    body="AccessCodeForm",
    status=201,
    answer="AccessCode",
    creates=True,
    refusals=(404,),
)
def create_access_code(call: Call) -> Any:
    """Make a code for a scope that the caller administers."""
    place, owner = place_in(call, call.body["scope"]), call.params["owner"]
    if call.made:
        code = code_of(call.world.registry, owner, call.made)
    else:
        gift, days = gift_of(call, call.body.get("role", Role.USER.value)), call.body.get("grant_days")
        until = lasts_until(gift, days)
        check_gift(call.world.gate, call.caller, place, gift, call.actor.at, until=until)
        uses = int(call.body["uses"])
        code = make_code(call.world.granting, call.actor, place, gift, uses=uses, grant_days=days)
    where = f"/v1/owners/{owner}/access-codes/{code.id}"
    return Answer(render.code(code, call.actor.at), headers={"Location": where})


@operation(
    "GET",
    _ALL,
    "List the access codes of an owner, or for one scope, with how often they have been used",
    tag=_TAG,
    answer="AccessCodes",
    query=(SCOPE,),
    paged=True,
    refusals=(404,),
)
def list_access_codes(call: Call) -> Any:
    """List codes, those that are over included."""
    scope = scope_asked(call)
    found = list_codes(call.world.registry, call.params["owner"], scope, call.limit, call.cursor)
    return page([render.code(c, call.actor.at) for c in found.items], found.next)


@operation("GET", _ONE, "Show an access code", tag=_TAG, answer="AccessCode", refusals=(404,))
def show_access_code(call: Call) -> Any:
    """Show a code for a scope that the caller administers."""
    return render.code(_found(call), call.actor.at)


@operation(
    "GET",
    f"{_ONE}/qr.svg",
    "Draw an access code to be printed, as a QR code with its text",
    tag=_TAG,
    media="image/svg+xml",
    refusals=(404,),
)
def draw_access_code(call: Call) -> Any:
    """Draw a code."""
    return render.qr_svg(_found(call), call.world.app_url)


@operation(
    "DELETE",
    _ONE,
    "Put an end to an access code; what it has given stays, unless `revoke` says otherwise",
    tag=_TAG,
    query=(_REVOKE,),
    status=204,
    refusals=(404,),
)
def end_access_code(call: Call) -> Any:
    """Put an end to a code."""
    end_code(call.world.granting, call.actor, _found(call), revoke=call.query.get("revoke", False))
    return Answer(None)


@operation(
    "POST",
    "/v1/access-codes/redeem",
    "Redeem an access code: it gives the right that it stands for",
    tag=_TAG,
    body="RedeemForm",
    answer="Grant",
    refusals=(404, 429),
)
def redeem(call: Call) -> Any:
    """Give the caller what a code gives; again gives the same."""
    return render.grant(redeem_code(call.world.granting, call.actor, call.caller, call.body["code"], call.source))


def _found(call: Call) -> AccessCode:
    code = code_of(call.world.registry, call.params["owner"], call.params["code_id"])
    check_administers(call, code.scope, no_code(code.id))
    return code
