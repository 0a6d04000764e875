"""A code makes one bridge of one device, whatever is typed, repeated or done at the same time."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from epspot.access import Level, Scope
from epspot.adapters.ids import RandomIds
from epspot.control.effects import Step
from epspot.control.state import Live
from epspot.errors import InvalidRequest, NotAllowed, NotFound, Refusal, TooOften
from epspot.ports import SessionRecord
from epspot.registry.claims import BRIDGE_CLAIM, BridgeClaim
from epspot.registry.kinds import Change
from epspot.registry.records import AUDIT_LINE, ONCE, AuditLine, Once
from epspot.registry.sites import of_site
from epspot.services.authorize import place_of
from epspot.services.change_site import change_site
from epspot.services.changing import Actor
from epspot.services.claim_bridge import (
    ANSWERED_AGAIN_S,
    CODE_HOLDS_S,
    MOST_TRIES,
    Invitation,
    invite_bridge,
    take_claim,
)
from epspot.services.register_site import register_site
from epspot.services.take_message import Taken
from epspot.site import Fuse, Site
from tests.fakes import FakeLives
from tests.unit.services.house import House

ANNA = "user:anna"


def bare_site(name: str = "s", owner: str = "yard-owners") -> Site:
    """Make a site with a main fuse and nothing else."""
    return Site(name, "Yard", (Fuse("main", None, (25.0,) * 3),), (), owner=owner)


@pytest.fixture
def house() -> House:
    """Take in a bare site."""
    return with_site(House())


def with_site(house: House) -> House:
    register_site(house.lives, house.clock, bare_site(), house.journal)
    return house


def invite(house: House, once: Once | None = None) -> Invitation:
    place = place_of(house.gate, Scope(Level.SITE, "s"))
    return invite_bridge(house.claiming, Actor(ANNA, house.clock.at, once), place)


def bridges(house: House) -> tuple[str, ...]:
    return house.lives.load("s")[0].bridges


def claims(house: House) -> tuple[BridgeClaim, ...]:
    return house.registry.also_under(BRIDGE_CLAIM, of_site("s")).items


def lines(house: House) -> tuple[AuditLine, ...]:
    return house.registry.under(AUDIT_LINE, "AUDIT#yard-owners").items


def refuse(house: House, code: str, serial: str = "EP-1") -> type[Refusal]:
    """Show a code that must be refused, and return how; nothing may have changed."""
    before = house.lives.load("s"), claims(house)
    with pytest.raises(Refusal) as refused:
        take_claim(house.claiming, code, serial)
    assert (house.lives.load("s"), claims(house)) == before
    return type(refused.value)


def test_a_code_makes_a_bridge_of_a_device(house: House) -> None:
    """The bridge is the site's from then on, so that its first frame is taken; the claim says which device it is."""
    bridge, code = invite(house)
    assert bridges(house) == ()
    house.clock.at += 60
    assert take_claim(house.claiming, code, "EP-1") == bridge
    assert bridges(house) == (bridge,)
    assert house.sites.of_bridge(bridge) == "s"
    (claim,) = claims(house)
    assert (claim.id, claim.serial, claim.used_at) == (bridge, "EP-1", house.clock.at)
    assert house.take(house.frame(bridge), bridge) is Taken.USED


def test_a_code_is_taken_as_people_type_it(house: House) -> None:
    """Small letters, spaces and missing hyphens are the same code."""
    bridge, code = invite(house)
    typed = f" {code.lower().replace('-', ' ')} "
    assert typed != code
    assert take_claim(house.claiming, typed, "EP-1") == bridge


def test_two_codes_are_of_two_bridges(house: House) -> None:
    """Each invitation is for a bridge and a code of its own."""
    one, other = invite(house), invite(house)
    assert one.bridge != other.bridge
    assert take_claim(house.claiming, other.code, "EP-2") == other.bridge
    assert take_claim(house.claiming, one.code, "EP-1") == one.bridge
    assert bridges(house) == (other.bridge, one.bridge)


@pytest.mark.parametrize("code", ["", "CODE", "CODE-CODE-9999", "x" * 100_000, "'; --"])
def test_a_wrong_code_is_refused(house: House, code: str) -> None:
    """What is no code of ours makes no bridge."""
    invite(house)
    assert refuse(house, code) is NotFound


def test_a_code_is_good_once(house: House) -> None:
    """Another device with the same code is refused, at once and later."""
    _, code = invite(house)
    take_claim(house.claiming, code, "EP-1")
    assert refuse(house, code, "EP-2") is NotAllowed
    house.clock.at += CODE_HOLDS_S
    assert refuse(house, code, "EP-2") is NotAllowed


def test_a_code_ends(house: House) -> None:
    """It is good up to its seventh day, and not from its end on."""
    early, late = invite(house), invite(house)
    house.clock.at += CODE_HOLDS_S - 1
    assert take_claim(house.claiming, early.code, "EP-1") == early.bridge
    house.clock.at += 1
    assert refuse(house, late.code, "EP-2") is NotAllowed


def test_a_repeated_claim_has_the_same_answer_for_an_hour(house: House) -> None:
    """A device that lost the answer asks again and is told the same; nothing is changed twice, and later it is refused."""
    bridge, code = invite(house)
    take_claim(house.claiming, code, "EP-1")
    after = house.lives.load("s"), claims(house)
    house.clock.at += ANSWERED_AGAIN_S - 1
    assert take_claim(house.claiming, code, "EP-1") == bridge
    assert (house.lives.load("s"), claims(house)) == after
    house.clock.at += 1
    assert refuse(house, code) is NotAllowed


def test_a_device_may_guess_ten_times_an_hour(house: House) -> None:
    """Then even the right code is refused, until the hour is over; other devices are not concerned."""
    house.clock.at -= house.clock.at % 3600
    bridge, code = invite(house)
    for n in range(MOST_TRIES):
        assert refuse(house, f"WRONG-{n}") is NotFound
    assert refuse(house, code) is TooOften
    assert refuse(house, "WRONG", "EP-2") is NotFound
    house.clock.at += 3600
    assert take_claim(house.claiming, code, "EP-1") == bridge


@pytest.mark.parametrize("serial", ["", "-", "EP 1", "EP-1\n", "x" * 65, "EP#1", "é"])
def test_a_serial_number_must_be_one(house: House, serial: str) -> None:
    """What could be no thing's attribute is refused before anything is looked up."""
    _, code = invite(house)
    with pytest.raises(InvalidRequest):
        take_claim(house.claiming, code, serial)
    assert (bridges(house), house.throttle.counts) == ((), {})


def test_a_code_is_of_the_owner_who_gave_it(house: House) -> None:
    """When the site has another owner since, the code of the one before makes no bridge there."""
    _, code = invite(house)
    change_site(house.controller, house.clock, replace(bare_site(), owner="others"))
    assert refuse(house, code) is NotAllowed


def test_what_is_done_stands_in_the_audit_log(house: House) -> None:
    """Who asked for the code and which device used it; the code stands nowhere, not even its hash."""
    bridge, code = invite(house)
    take_claim(house.claiming, code, "EP-1")
    invited, claimed = lines(house)
    assert (invited.what, invited.by, invited.about, invited.scope) == ("bridge.invited", ANNA, bridge, "site/s")
    assert (claimed.what, claimed.by, claimed.about, claimed.scope) == ("bridge.claimed", "system", bridge, "site/s")
    assert claimed.after is not None
    assert claimed.after["serial"] == "EP-1"
    (claim,) = claims(house)
    for secret in (code, code.replace("-", ""), claim.code_hash):
        assert secret not in str(lines(house))
    assert code.replace("-", "") not in str(house.registry.records)


def test_an_invitation_is_written_with_its_request(house: House) -> None:
    """A creating request that comes again finds which bridge the first was for."""
    once = Once(ANNA, "key", "print", "", house.clock.at)
    bridge, _ = invite(house, once)
    found = house.registry.get(ONCE, f"ONCE#{ANNA}", "key")
    assert found is not None
    assert found.made == bridge


def test_an_unused_code_vanishes_and_a_used_one_does_not(house: House) -> None:
    """What became of a device is known for good."""
    used, unused = invite(house), invite(house)
    take_claim(house.claiming, used.code, "EP-1")
    ends = {c.id: BRIDGE_CLAIM.expires_at(c) for c in claims(house)}
    assert ends[used.bridge] is None
    assert ends[unused.bridge] == pytest.approx(house.clock.at + 2 * CODE_HOLDS_S)


# ------------------------------------------------------------------ races


class Raced(FakeLives):
    """A store in which something comes between a load and its commit."""

    def __init__(self) -> None:
        super().__init__()
        self.between: list[Callable[[], object]] = []

    def commit(
        self,
        before: Live,
        step: Step,
        record: SessionRecord | None = None,
        site: Site | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        if self.between:
            self.between.pop()()
        super().commit(before, step, record, site, changes)


def test_of_two_devices_at_once_one_wins() -> None:
    """The other is refused, and the site has one bridge."""
    lives = Raced()
    house = with_site(House(lives=lives))
    bridge, code = invite(house)
    lives.between.append(lambda: take_claim(house.claiming, code, "EP-2"))
    with pytest.raises(NotAllowed):
        take_claim(house.claiming, code, "EP-1")
    assert bridges(house) == (bridge,)
    assert [c.serial for c in claims(house)] == ["EP-2"]


def test_the_same_request_twice_at_once_is_answered_alike() -> None:
    """Both are told the bridge, which the site has once."""
    lives = Raced()
    house = with_site(House(lives=lives))
    bridge, code = invite(house)
    told: list[str] = []
    lives.between.append(lambda: told.append(take_claim(house.claiming, code, "EP-1")))
    assert take_claim(house.claiming, code, "EP-1") == bridge
    assert (told, bridges(house), len(lines(house))) == ([bridge], (bridge,), 2)


def test_a_change_of_the_site_at_the_same_time_is_kept() -> None:
    """What an owner changes while a bridge claims itself stands beside the bridge."""
    lives = Raced()
    house = with_site(House(lives=lives))
    bridge, code = invite(house)
    lives.between.append(lambda: change_site(house.controller, house.clock, replace(bare_site(), name="New yard")))
    take_claim(house.claiming, code, "EP-1")
    site = house.lives.load("s")[0]
    assert (site.name, site.bridges) == ("New yard", (bridge,))


def test_codes_can_be_read_out() -> None:
    """Three groups of four, without what looks or sounds like something else; never the same twice."""
    codes = {RandomIds().code() for _ in range(200)}
    assert len(codes) == 200
    assert {len(part) for code in codes for part in code.split("-")} == {4}
    assert {code.count("-") for code in codes} == {2}
    assert not {*"".join(codes)} & {*"IO01"}
    assert "".join(codes).replace("-", "").isalnum()
