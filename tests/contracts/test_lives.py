"""``Lives``: the same promises in memory and in DynamoDB."""

from dataclasses import replace

import pytest

from epspot.control.draft import decision_equals
from epspot.control.due import due_at, next_look
from epspot.control.effects import Fact, Step
from epspot.control.events import (
    EdgeReceived,
    Event,
    HistoryReceived,
    PresenceChanged,
    StartRequested,
    StopRequested,
    Ticked,
    Watched,
)
from epspot.control.state import Live, Plug
from epspot.control.step import step
from epspot.errors import Conflict, NotFound
from epspot.site import Outlet, Site
from tests.contracts.houses import NOW, House, frame, reading, record, small_site, version

SITE = small_site()


def watched(house: House) -> Step:
    """Let somebody look: a decision without a fact."""
    return house.happen(Watched(NOW + 1))


# ------------------------------------------------------------------ reading


def test_an_unknown_site_is_not_found(house: House) -> None:
    """A site that nobody has taken in is not found."""
    with pytest.raises(NotFound):
        house.lives.load("nowhere")


def test_a_new_site_is_found_as_it_was_given(house: House) -> None:
    """Configuration and state of a new site are read back equal, in their first version."""
    made = step(SITE, Live("s"), Ticked(NOW)).live
    house.lives.create(SITE, made)
    assert house.lives.load("s") == (SITE, version(made, 1, look_at=due_at(SITE, made)))
    assert house.outbox() == []


def test_a_site_is_made_once(house: House) -> None:
    """A site that exists is not overwritten."""
    house.known()
    before = house.lives.load("s")
    with pytest.raises(Conflict):
        house.create(replace(SITE, name="Another"))
    assert house.lives.load("s") == before


def test_a_bridge_and_an_outlet_have_one_site(house: House) -> None:
    """A new site can't take the bridge or the outlet of another; what it tried leaves the other as it is."""
    house.known()
    theirs = replace(small_site("t"), outlets=SITE.outlets)
    with pytest.raises(Conflict):
        house.create(theirs)
    with pytest.raises(NotFound):
        house.lives.load("t")
    assert house.sites.of_bridge(SITE.outlets[0].bridge) == "s"
    assert house.sites.of_outlet(SITE.outlets[0].id) == "s"


def test_sites_do_not_mix(house: House) -> None:
    """What happens at a site leaves another, also one whose name begins alike, as it is."""
    house.known(small_site("s"))
    house.known(small_site("s2"))
    other = house.lives.load("s2")
    watched(house)
    assert house.lives.load("s2") == other
    assert house.lives.load("s")[0].id == "s"


# ------------------------------------------------------------------ committing


def test_what_is_committed_is_found(house: House) -> None:
    """After each event of a session's life the state that its step made is read back, a version later."""
    site = SITE
    live = house.known()
    events: list[Event] = [
        Watched(NOW + 1),
        StartRequested(NOW + 2, "one", "s-1"),
        StartRequested(NOW + 3, "two", "s-2"),
        StartRequested(NOW + 4, "three", "s-3"),
        frame(site, "s-b1", 3, rev=3, at=NOW + 5, M1=reading(relay=True, limit_a=7.5, current_a=(7.4, 0.0, 0.0))),
        EdgeReceived(NOW + 6, "s-b1", "0a0b0c0d", 4, 2, "over_current", "M1", reading(energy_wh=1007), "instant"),
        PresenceChanged(NOW + 7, "s-b2", connected=False, version=3),
        frame(site, "s-b1", 5, rev=5, at=NOW + 8, M1=reading(energy_wh=1008)),
        StopRequested(NOW + 9, "two"),
        HistoryReceived(NOW + 10, "s-b1", "0a0b0c0d", 6, (("M1", NOW, 1001), ("M2", NOW, 1000))),
    ]
    told = [notice.fact for notice in house.outbox()]
    for event in events:
        done = step(site, live, event)
        assert not decision_equals(live, done.live) or done.facts, event
        house.lives.commit(live, done)
        live = version(done.live, live.version + 1, look_at=next_look(live, due_at(site, done.live)))
        assert house.lives.load("s") == (site, live)
        told += done.facts
    assert [notice.fact for notice in house.outbox()] == told


def test_facts_are_numbered_without_end(house: House) -> None:
    """Each fact has a natural key and a position that grows over all commits of its site."""
    house.known()
    for n, outlet in enumerate(("s-1", "s-2", "s-3")):
        house.happen(StartRequested(NOW + n, f"session-{n}", outlet))
    notices = house.outbox()
    assert len({n.id for n in notices}) == len(notices) == 3
    assert [n.position for n in notices] == sorted({n.position for n in notices})
    assert {n.site for n in notices} == {"s"}
    assert notices[-1].at == NOW + 2


def test_a_lost_race_changes_nothing(house: House) -> None:
    """Who commits over another's commit is told, and what the other wrote stands."""
    before = house.known()
    mine = step(SITE, before, StartRequested(NOW + 1, "mine", "s-1"))
    house.happen(StartRequested(NOW + 1, "theirs", "s-1"))
    theirs, told = house.lives.load("s"), house.outbox()
    with pytest.raises(Conflict):
        house.lives.commit(before, mine, record("mine"))
    assert house.lives.load("s") == theirs
    assert house.outbox() == told
    assert house.sessions.get("mine") is None
    with pytest.raises(Conflict):
        house.lives.commit(before, step(SITE, before, Watched(NOW + 1)))
    assert house.lives.load("s") == theirs


def test_readings_are_raced_for_too(house: House) -> None:
    """Two frames that decide nothing and were both taken in from the same state: the second is told, and not lost."""
    before = house.known()
    first = step(SITE, before, frame(SITE, "s-b1", 3, M1=reading(plug=Plug.ASKING)))
    second = step(SITE, before, frame(SITE, "s-b1", 4, M1=reading(plug=Plug.NONE)))
    assert decision_equals(before, first.live)
    assert decision_equals(before, second.live)
    house.lives.commit(before, first)
    with pytest.raises(Conflict):
        house.lives.commit(before, second)
    after = house.lives.load("s")[1]
    assert after.readings["s-b1"].seq == 3
    assert after.version == before.version


def test_readings_of_different_bridges_do_not_race(house: House) -> None:
    """Frames of two bridges that decide nothing never hinder each other."""
    before = house.known()
    asking = reading(plug=Plug.ASKING)
    for told in (frame(SITE, "s-b1", 3, M1=asking), frame(SITE, "s-b2", 3, M3=asking)):
        house.lives.commit(before, step(SITE, before, told))
    after = house.lives.load("s")[1]
    assert {b: r.seq for b, r in after.readings.items()} == {"s-b1": 3, "s-b2": 3}


def test_facts_and_readings_go_together(house: House) -> None:
    """A step with facts whose readings another has overtaken writes nothing at all; nor does a start that rests on them."""
    before = house.known()
    mine = step(SITE, before, StartRequested(NOW + 1, "mine", "s-1"))
    told = frame(SITE, "s-b1", 4, M1=None, M2=reading())
    lost = step(SITE, before, told)
    assert {f.kind for f in lost.facts} == {"module.lost"}
    house.lives.commit(before, step(SITE, before, frame(SITE, "s-b1", 3, M1=reading(plug=Plug.ASKING))))
    stands, facts = house.lives.load("s"), house.outbox()
    with pytest.raises(Conflict):
        house.lives.commit(before, lost)
    assert house.lives.load("s") == stands
    assert house.outbox() == facts
    with pytest.raises(Conflict):
        house.lives.commit(before, mine, record("mine"))  # its first register is no longer the newest
    assert house.sessions.get("mine") is None
    house.happen(StartRequested(NOW + 1, "mine", "s-1"), record("mine"))
    assert house.sessions.get("mine") is not None


# ------------------------------------------------------------------ starts


def test_a_start_is_all_there(house: House) -> None:
    """State, record and fact of a new session are written together."""
    house.known()
    given = record()
    done = house.happen(StartRequested(NOW, "session-1", "s-1"), given)
    assert house.lives.load("s")[1].sessions == done.live.sessions
    assert house.sessions.get("session-1") == given
    assert "session.active" in {n.fact.kind for n in house.outbox()}


def test_a_start_is_there_once(house: House) -> None:
    """A session whose record is there already writes nothing at all."""
    house.known()
    house.happen(StartRequested(NOW, "session-1", "s-1"), record())
    before, told = house.lives.load("s"), house.outbox()
    with pytest.raises(Conflict):
        house.happen(StartRequested(NOW, "two", "s-2"), record(user="bo"))
    assert house.lives.load("s") == before
    assert house.outbox() == told
    assert house.sessions.get("session-1") == record()


# ------------------------------------------------------------------ another configuration


def larger(name: str = "Larger", revision: int = 2) -> Site:
    """Make the site anew with a larger fuse, and a fourth outlet at a bridge of its own."""
    fourth = Outlet("s-4", "4", "main", (1,), 16.0, "s-b3", "M4")
    fuses = tuple(replace(f, rating_a=(40.0, 40.0, 40.0)) for f in SITE.fuses)
    return replace(SITE, name=name, fuses=fuses, outlets=(*SITE.outlets, fourth), revision=revision)


def test_a_configuration_of_the_past_is_read_as_it_was(house: House) -> None:
    """Every revision stays readable; one that never was is not found."""
    house.known()
    house.change(larger())
    assert house.elsewhere().configuration("s", 1) == SITE
    assert house.elsewhere().configuration("s", 2) == larger()
    with pytest.raises(NotFound):
        house.elsewhere().configuration("s", 3)


def test_a_configuration_is_written_with_its_step(house: House) -> None:
    """What a step made under a new configuration and the configuration are read back together, by everyone."""
    before = house.known()
    house.happen(StartRequested(NOW, "session-1", "s-1"), record())
    changed = larger()
    done = house.change(changed)
    site, live = house.lives.load("s")
    assert site == changed
    assert (live.revision, live.version) == (2, before.version + 2)
    assert live.outlets == done.live.outlets
    assert live.outlets.keys() == {"s-1", "s-2", "s-3", "s-4"}
    assert live.sessions.keys() == {"session-1"}
    assert house.elsewhere().load("s") == (site, live)
    house.happen(frame(changed, "s-b3", 1))
    assert house.lives.load("s")[1].readings["s-b3"].modules.keys() == {"M4"}


def test_what_a_configuration_adds_leads_to_its_site(house: House) -> None:
    """A new bridge and a new outlet are found at their site, and those that were there still are."""
    house.known()
    assert (house.sites.of_bridge("s-b3"), house.sites.of_outlet("s-4")) == (None, None)
    house.change(larger())
    assert (house.sites.of_bridge("s-b3"), house.sites.of_outlet("s-4")) == ("s", "s")
    assert (house.sites.of_bridge("s-b1"), house.sites.of_outlet("s-1")) == ("s", "s")
    assert list(house.sites.all()) == ["s"]


def test_a_configuration_that_loses_a_race_is_not_there(house: House) -> None:
    """Who changes a site that another has changed, or moved, meanwhile is told, and nothing of it is written."""
    before = house.known()
    lost = step(larger("Mine"), before, Ticked(NOW + 2))
    house.elsewhere().commit(before, step(SITE, before, Watched(NOW + 1)))
    with pytest.raises(Conflict):
        house.lives.commit(before, lost, site=larger("Mine"))
    assert house.elsewhere().load("s")[0] == SITE
    theirs = larger("Theirs")
    house.change(theirs)
    stands, told = house.elsewhere().load("s"), house.outbox()
    with pytest.raises(Conflict):
        house.lives.commit(before, lost, site=larger("Mine"))
    assert house.elsewhere().load("s") == stands
    assert stands[0] == theirs
    assert house.outbox() == told


def test_who_loses_a_race_works_with_what_the_winner_wrote(tables: House) -> None:
    """A process whose change was refused goes on with the configuration that stands, not with its own."""
    before = tables.known()
    theirs, mine = larger("Theirs"), replace(larger("Mine"), fuses=SITE.fuses)
    tables.elsewhere().commit(before, step(theirs, before, Ticked(NOW + 1)), site=theirs)
    with pytest.raises(Conflict):
        tables.lives.commit(before, step(mine, before, Ticked(NOW + 2)), site=mine)
    assert tables.lives.load("s")[0] == theirs


def test_what_leaves_a_site_may_go_to_another(house: House) -> None:
    """A bridge and an outlet that a configuration does not have any more are free for another site."""
    house.known()
    house.change(larger())
    house.change(replace(SITE, revision=3))
    assert (house.sites.of_outlet("s-4"), house.sites.of_bridge("s-b3")) == (None, None)
    assert house.sites.of_outlet("s-3") == "s"
    there = small_site("t")
    fourth = Outlet("s-4", "4", "main", (1,), 16.0, "s-b3", "M4")
    house.create(replace(there, outlets=(*there.outlets, fourth)))
    assert house.sites.of_outlet("s-4") == "t"


def test_a_configuration_is_not_written_over(tables: House) -> None:
    """A revision that has been written stands, also when it would be written with the newest state."""
    tables.known()
    with pytest.raises(Conflict):
        tables.change(replace(SITE, name="Another"))
    assert tables.elsewhere().load("s")[0] == SITE


@pytest.mark.parametrize(
    "theirs",
    [Outlet("s-4", "4", "main", (0,), 16.0, "t-b1", "M4"), Outlet("t-1", "4", "main", (0,), 16.0, "s-b1", "M4")],
    ids=["bridge", "outlet"],
)
def test_what_is_another_s_can_not_be_taken_over(house: House, theirs: Outlet) -> None:
    """A configuration with a bridge or an outlet of another site is refused, and both sites are as they were."""
    house.known()
    house.create(small_site("t"))
    before, told = house.lives.load("s"), house.outbox()
    with pytest.raises(Conflict):
        house.change(replace(SITE, outlets=(*SITE.outlets, theirs), revision=2))
    assert house.elsewhere().load("s") == before
    assert house.elsewhere().load("t")[0] == small_site("t")
    assert (house.sites.of_bridge("t-b1"), house.sites.of_outlet("t-1")) == ("t", "t")
    assert house.outbox() == told


# ------------------------------------------------------------------ what it costs


def test_what_does_not_change_costs_nothing(tables: House) -> None:
    """A frame that tells nothing new, and one that comes twice, are not written."""
    tables.known()
    before = tables.lives.load("s")
    with tables.counted() as writes:
        for seq in (3, 4, 4, 2):
            tables.happen(frame(SITE, "s-b1", seq, base=2))
    assert writes == {}
    assert tables.lives.load("s") == before


def test_readings_cost_one_put(tables: House) -> None:
    """A change in what is measured is one conditional put of one bridge's readings."""
    tables.known()
    with tables.counted() as writes:
        tables.happen(frame(SITE, "s-b1", 3, base=2, M1=reading(plug=Plug.NONE)))
    assert writes == {"PutItem": 1}
    written = tables.calls[-1][1]
    assert written["Item"]["sk"] == {"S": "READINGS#s-b1"}
    assert written["ConditionExpression"]


def test_a_decision_costs_one_put(tables: House) -> None:
    """A decision without facts is a plain conditional put, not a transaction."""
    tables.known()
    with tables.counted() as writes:
        watched(tables)
    assert writes == {"PutItem": 1}
    written = tables.calls[-1][1]
    assert written["Item"]["sk"] == {"S": "DECISION"}
    assert written["ConditionExpression"]


def test_facts_cost_one_transaction(tables: House) -> None:
    """A step with facts is one transaction: its decision, its readings, and all its facts in one item."""
    tables.known()
    tables.happen(StartRequested(NOW + 1, "one", "s-1"))
    tables.happen(StartRequested(NOW + 2, "two", "s-2"))
    with tables.counted() as writes:
        edge = EdgeReceived(
            NOW + 6, "s-b1", "0a0b0c0d", 4, 9, "over_current", "M1", reading(energy_wh=1007, current_a=(30.0, 0, 0))
        )
        done = tables.happen(edge)
    assert len(done.facts) >= 2
    assert writes == {"TransactWriteItems": 1}
    kinds = [put["Put"]["Item"]["sk"]["S"].split("#")[0] for put in tables.calls[-1][1]["TransactItems"]]
    assert sorted(kinds) == ["DECISION", "OUTBOX", "READINGS"]


def test_a_start_costs_one_transaction(tables: House) -> None:
    """A start is one transaction with its record."""
    tables.known()
    with tables.counted() as writes:
        tables.happen(StartRequested(NOW, "session-1", "s-1"), record())
    assert writes == {"TransactWriteItems": 1}
    check, *puts = sorted(tables.calls[-1][1]["TransactItems"], key=lambda item: "Put" in item)
    assert check["ConditionCheck"]["Key"]["sk"] == {"S": "READINGS#s-b1"}
    kinds = [put["Put"]["Item"]["sk"]["S"].split("#")[0] for put in puts]
    assert sorted(kinds) == ["DECISION", "OUTBOX", "SESSION"]


def test_a_configuration_costs_one_transaction(tables: House) -> None:
    """A new configuration is one transaction with its state, after a claim for each bridge and new outlet."""
    tables.known()
    with tables.counted() as writes:
        tables.change(larger())
    assert writes == {"PutItem": 3 + 1, "TransactWriteItems": 1}
    kinds = [put["Put"]["Item"]["sk"]["S"].split("#")[0] for put in tables.calls[-1][1]["TransactItems"]]
    assert sorted(kinds) == ["CONFIG", "DECISION"]


def test_a_load_is_one_consistent_query(tables: House) -> None:
    """State and readings are read together and consistently, and a configuration only once."""
    tables.known()
    tables.calls.clear()
    tables.lives.load("s")
    ((operation, parameters),) = tables.calls
    assert (operation, parameters["ConsistentRead"]) == ("Query", True)


# ------------------------------------------------------------------ time


def test_a_site_is_due_when_time_alone_may_change_it(house: House) -> None:
    """A site is listed from its time on, with that time, and not before."""
    house.known()
    due = house.due_at("s")
    assert due is not None
    assert due > NOW
    assert house.lives.due(due - 1) == []
    assert list(house.lives.due(due)) == [("s", due)]


def test_a_site_is_postponed(house: House) -> None:
    """Readings alone move a site's time only when somebody has looked in vain."""
    house.known()
    due = house.due_at("s")
    assert due is not None
    for b in ("s-b1", "s-b2"):
        house.happen(frame(SITE, b, 3, at=NOW + 600))
    assert house.due_at("s") == due
    house.lives.postpone("s", due)
    later = house.due_at("s")
    assert later is not None
    assert later > due


def test_a_site_is_not_postponed_over_a_commit(house: House) -> None:
    """A time that a commit has set since it was seen stands, and so does one that is still right."""
    house.known()
    due = house.due_at("s")
    assert due is not None
    house.lives.postpone("s", due)
    assert house.due_at("s") == due
    for b in ("s-b1", "s-b2"):
        house.happen(frame(SITE, b, 3, at=NOW + 600))
    house.lives.postpone("s", due - 60)
    assert house.due_at("s") == due


def test_a_fact_may_say_anything(house: House) -> None:
    """Facts are passed on as they are, whatever their words."""
    before = house.known()
    fact = Fact("session.ended", "å\u2028😀", {"reason": None, "rows": [["a", 1.5, 0]], "text": '"\\'})
    house.lives.commit(before, Step(replace(before, found=("b/Ö",)), facts=(fact,)))
    assert house.outbox()[-1].fact == fact
    assert house.lives.load("s")[1].found == ("b/Ö",)
