"""``Sessions`` and ``Sites``: the same promises in memory and in DynamoDB."""

from dataclasses import replace

import pytest

from epspot.adapters.dynamodb.sites import DynamoSites
from epspot.control.events import StartRequested
from epspot.errors import Conflict
from epspot.ports import SessionFact, Vehicle
from epspot.services.note_session import note_session
from tests.contracts.houses import NOW, House, record, small_site

ENDED = {"outlet": "s-1", "reason": "full", "energy_wh": 70, "start_wh": 1000, "end_wh": 1070, "complete": True}


def begun(house: House, session: str = "session-1", outlet: str = "s-1", **more: object) -> None:
    """Start a session and keep its record."""
    kept = replace(record(session), outlet=outlet, **more)  # type: ignore[arg-type]
    house.happen(StartRequested(NOW, session, outlet), kept)


def fact(kind: str, position: int, **detail: object) -> SessionFact:
    """Make a fact about the session, as it comes over the bus."""
    return SessionFact("session-1", f"session.{kind}", position, NOW + position, detail)


# ------------------------------------------------------------------ records


def test_an_unknown_session_is_none(house: House) -> None:
    """What nobody has started is not found and not listed."""
    house.known()
    assert house.sessions.get("session-1") is None
    assert list(house.sessions.of_user("anna", 100)) == []


def test_a_record_is_found_as_it_was_written(house: House) -> None:
    """Every field of a record is read back equal, also what has not happened yet."""
    house.known()
    begun(house, number="Plats 7 å", requested_at=NOW + 0.123456)
    told = house.sessions.get("session-1")
    assert told == replace(record(), number="Plats 7 å", requested_at=NOW + 0.123456)


def test_a_user_s_sessions_come_newest_first(house: House) -> None:
    """A user's own sessions are listed by time, the newest first, as many as are asked for."""
    house.known()
    for n, (user, at) in enumerate([("anna", 5), ("bo", 9), ("anna", 20), ("ann", 30), ("anna", 10.5)]):
        house.lives.load("s")
        begun_by = replace(record(f"session-{n}"), user=user, requested_at=NOW + at)
        house.happen(StartRequested(NOW, f"session-{n}", "s-1"), begun_by) if n == 0 else _write(house, begun_by)
    assert [r.id for r in house.sessions.of_user("anna", 100)] == ["session-2", "session-4", "session-0"]
    assert [r.id for r in house.sessions.of_user("anna", 2)] == ["session-2", "session-4"]
    assert [r.id for r in house.sessions.of_user("bo", 100)] == ["session-1"]


def test_a_site_s_sessions_come_newest_first(house: House) -> None:
    """All that was had at a site is listed by pages, whosoever it was, as it is now."""
    house.known()
    for n, (site, at) in enumerate([("s", 5), ("t", 9), ("s", 20), ("s2", 30), ("s", 10.5)]):
        _write(house, replace(record(f"session-{n}", user=f"user-{n}"), site=site, requested_at=NOW + at))
    before = house.sessions.get("session-4")
    assert before is not None
    house.sessions.replace(before, replace(before, energy_wh=7, position=9))
    first, after = house.sessions.of_site("s", 2)
    assert [(r.id, r.energy_wh) for r in first] == [("session-2", 0), ("session-4", 7)]
    rest, end = house.sessions.of_site("s", 2, after)
    assert ([r.id for r in rest], end) == (["session-0"], None)
    assert house.sessions.of_site("s", 3)[1] is None
    assert house.sessions.of_site("nowhere", 9) == ([], None)


def _write(house: House, kept: object) -> None:
    """Write a record with a step that changes nothing else."""
    site, live = house.lives.load("s")
    assert site.id == "s"
    from epspot.control.effects import Step  # noqa: PLC0415

    house.lives.commit(live, Step(live), kept)  # type: ignore[arg-type]


def test_a_record_is_replaced_by_who_has_read_it(house: House) -> None:
    """Who replaces a record that another has replaced meanwhile is told, and the other's stands."""
    house.known()
    begun(house)
    first = house.sessions.get("session-1")
    assert first is not None
    second = replace(first, state="active", position=4001)
    house.sessions.replace(first, second)
    assert house.sessions.get("session-1") == second
    with pytest.raises(Conflict):
        house.sessions.replace(first, replace(first, state="stopping", position=5000))
    assert house.sessions.get("session-1") == second
    assert list(house.sessions.of_user("anna", 1)) == [second]


def test_a_record_is_added_once(house: House) -> None:
    """A record that no start has written is found and listed like any other; a second with its id is refused."""
    house.known()
    first = replace(record("s-1-7", "outlet:s-1"), position=4, cut_short=True)
    house.sessions.add(first)
    assert house.sessions.get("s-1-7") == first
    with pytest.raises(Conflict):
        house.sessions.add(replace(first, user="bo"))
    begun(house)
    with pytest.raises(Conflict):
        house.sessions.add(record())
    assert list(house.sessions.of_user("outlet:s-1", 100)) == [first]
    assert list(house.sessions.of_user("bo", 100)) == []
    second = replace(first, state="active", position=5)
    house.sessions.replace(first, second)
    assert list(house.sessions.of_user("outlet:s-1", 100)) == [second]


# ------------------------------------------------------------------ what is noted


def test_facts_become_the_record(house: House) -> None:
    """A record follows the facts of its session to its end with energy, registers, reason, its first current and time."""
    house.known()
    begun(house)
    for n, (kind, state) in enumerate([("active", "active"), ("waiting", "queued"), ("stopping", "stopping")], 1):
        note_session(house.noting, fact(kind, n, outlet="s-1", reason="main/L1"))
        told = house.sessions.get("session-1")
        assert told is not None
        assert (told.state, told.reason, told.ended_at) == (state, "main/L1", None)
    note_session(house.noting, fact("active", 4, outlet="s-1"))
    note_session(house.noting, fact("ended", 9, **ENDED))
    ended = replace(record(), state="ended", reason="full", ended_at=NOW + 9, begun_at=NOW + 1, position=9)
    assert house.sessions.get("session-1") == replace(ended, energy_wh=70, start_wh=1000, end_wh=1070)
    assert list(house.sessions.of_user("anna", 1)) == [house.sessions.get("session-1")]


def test_what_a_user_does_with_it_becomes_the_record(house: House) -> None:
    """Plans and pauses are its state; other wishes, a lesson and a shortfall leave that as it was."""
    house.known()
    begun(house)
    lived = [
        ("planned", "planned"),
        ("short", "planned"),
        ("queued", "queued"),
        ("moved", "queued"),
        ("active", "active"),
        ("changed", "active"),
        ("paused", "paused"),
        ("changed", "paused"),
        ("resumed", "queued"),
    ]
    seen = []
    for n, (kind, _) in enumerate(lived, 1):
        note_session(house.noting, fact(kind, n, outlet="s-1"))
        told = house.sessions.get("session-1")
        assert told is not None
        seen.append((kind, told.state))
        assert (told.position, told.cut_short) == (n, n > 1)
    assert seen == lived


def test_facts_come_in_any_order_and_twice(house: House) -> None:
    """A fact that is older than the newest noted, or the same again, changes nothing."""
    house.known()
    begun(house)
    end = fact("ended", 9, **ENDED)
    note_session(house.noting, end)
    told = house.sessions.get("session-1")
    for late in (fact("active", 2), fact("queued", 1, reason="main/L1"), end, fact("stopping", 8, reason="full")):
        note_session(house.noting, late)
        assert house.sessions.get("session-1") == told


def test_other_facts_are_not_noted(house: House) -> None:
    """Facts of unknown kinds change nothing; one of a session that is not known yet must come again."""
    house.known()
    begun(house)
    before = house.sessions.get("session-1")
    note_session(house.noting, fact("renamed", 5))
    with pytest.raises(Conflict):
        note_session(house.noting, SessionFact("nobody", "session.ended", 9, NOW, ENDED))
    assert house.sessions.get("session-1") == before
    assert house.sessions.get("nobody") is None


def test_a_session_that_began_by_itself_is_its_outlets(house: House) -> None:
    """Its record is made of the fact that it began, once, and follows the facts after that."""
    house.known()
    told = {"outlet": "s-1", "number": "1", "at": NOW}
    first = SessionFact("s-1-7", "session.begun", 4, NOW, told, "s")
    note_session(house.noting, first)
    note_session(house.noting, SessionFact("s-1-7", "session.active", 5, NOW, {"outlet": "s-1"}))
    note_session(house.noting, first)
    kept = house.sessions.get("s-1-7")
    assert kept is not None
    assert (kept.user, kept.site, kept.number, kept.state) == ("outlet:s-1", "s", "1", "active")
    with pytest.raises(Conflict):
        house.sessions.add(kept)


def test_what_is_learned_of_a_vehicle_is_kept_for_its_user(house: House) -> None:
    """The next session of the same user begins with it."""
    house.known()
    begun(house)
    note_session(house.noting, fact("learned", 5, outlet="s-1", least_a=8.0, wakes_by="relay"))
    assert house.vehicles.get("anna") == Vehicle(8.0, "relay")
    assert house.vehicles.get("bo") == Vehicle()


def test_what_is_known_of_a_vehicle_is_read_back(house: House) -> None:
    """The newest that was kept for a user is found, also what is not known of it; it is no session of the user's."""
    house.known()
    assert house.vehicles.get("ås#a") == Vehicle()
    for known in (Vehicle(6.5, ""), Vehicle(None, "relay"), Vehicle(8.0, "relay")):
        house.vehicles.put("ås#a", known)
        assert house.vehicles.get("ås#a") == known
    house.vehicles.put("bo", Vehicle(7.0))
    assert house.vehicles.get("ås#a") == Vehicle(8.0, "relay")
    assert house.vehicles.get("ås") == Vehicle()
    assert list(house.sessions.of_user("ås#a", 100)) == []


# ------------------------------------------------------------------ where things are


def test_things_are_found_at_their_site(house: House) -> None:
    """Every bridge and outlet leads to its site, a stranger to none, and every site is listed."""
    assert list(house.sites.all()) == []
    for name in ("s", "s2"):
        house.create(small_site(name))
    sites = house.sites
    assert sorted(sites.all()) == ["s", "s2"]
    assert {b: sites.of_bridge(b) for b in ("s-b1", "s2-b2", "s-b9", "")} == {
        "s-b1": "s",
        "s2-b2": "s2",
        "s-b9": None,
        "": None,
    }
    assert (sites.of_outlet("s-3"), sites.of_outlet("s2-1"), sites.of_outlet("s-b1")) == ("s", "s2", None)
    assert sites.of_outlet("ö/../#" * 40) is None


def test_answers_are_kept_for_a_minute(tables: House) -> None:
    """Where a thing is, is asked once a minute; that it is nowhere is asked again each time."""
    now = 0.0
    sites = DynamoSites(lambda: now)
    assert sites.of_bridge("s-b1") is None
    tables.create(small_site())
    tables.calls.clear()
    assert [sites.of_bridge("s-b1") for _ in range(3)] == ["s"] * 3
    assert len(tables.calls) == 1
    now = 61.0
    assert sites.of_bridge("s-b1") == "s"
    assert len(tables.calls) == 2
