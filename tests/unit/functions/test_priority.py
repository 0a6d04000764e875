"""Who is in a user group is served by its weight."""

from dataclasses import replace

from epspot.access.subjects import email_hash
from epspot.registry.kinds import Put
from epspot.registry.records import MEMBERSHIP, Membership
from epspot.services.change_site import change_site
from epspot.site import Policy
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import OWNER_ID
from tests.unit.services.house import House


def test_a_session_has_the_group_with_the_largest_weight(ask: Asker, house: House) -> None:
    """Of the groups that the outlet's owner has put somebody in, the heaviest counts; another owner's does not."""
    site, _ = house.lives.load("s")
    weights = {"guests": 0.5, "staff": 3.0, "foreign": 9.0}
    change_site(house.controller, house.clock, replace(site, policy=Policy(principle="priority", weights=weights)))
    known = email_hash("anna@example.com")
    for owner, groups in ((OWNER_ID, ("guests", "staff")), ("owner2", ("foreign",))):
        house.registry.commit([Put(MEMBERSHIP, None, Membership("m", owner, known, groups))])
    begun = ask.as_("anna anna@example.com")("POST", "/v1/sessions", {"outlet": "s-1"})
    assert begun.status == 201
    assert house.live().sessions[begun.body["id"]].wishes.group == "staff"
    stranger = ask("POST", "/v1/sessions", {"outlet": "s-2"})
    assert house.live().sessions[stranger.body["id"]].wishes.group == ""
