"""``Sessions`` and ``Sites``: the same promises in memory and in DynamoDB."""

from dataclasses import replace

import pytest

from epspot.adapters.dynamodb.sites import DynamoSites
from epspot.control.events import StartRequested
from epspot.errors import Conflict
from epspot.ports import SessionFact
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


# ------------------------------------------------------------------ what is noted


def test_facts_become_the_record(house: House) -> None:
    """A record follows the facts of its session to its end with energy, registers, reason and time."""
    house.known()
    begun(house)
    for n, (kind, state) in enumerate([("active", "active"), ("waiting", "queued"), ("stopping", "stopping")], 1):
        note_session(house.sessions, fact(kind, n, outlet="s-1", reason="main/L1"))
        told = house.sessions.get("session-1")
        assert told is not None
        assert (told.state, told.reason, told.ended_at) == (state, "main/L1", None)
    note_session(house.sessions, fact("ended", 9, **ENDED))
    assert house.sessions.get("session-1") == replace(
        record(), state="ended", reason="full", energy_wh=70, start_wh=1000, end_wh=1070, ended_at=NOW + 9, position=9
    )
    assert list(house.sessions.of_user("anna", 1)) == [house.sessions.get("session-1")]


def test_facts_come_in_any_order_and_twice(house: House) -> None:
    """A fact that is older than the newest noted, or the same again, changes nothing."""
    house.known()
    begun(house)
    end = fact("ended", 9, **ENDED)
    note_session(house.sessions, end)
    told = house.sessions.get("session-1")
    for late in (fact("active", 2), fact("queued", 1, reason="main/L1"), end, fact("stopping", 8, reason="full")):
        note_session(house.sessions, late)
        assert house.sessions.get("session-1") == told


def test_other_facts_are_not_noted(house: House) -> None:
    """Facts of unknown sessions and of unknown kinds change nothing and raise nothing."""
    house.known()
    begun(house)
    before = house.sessions.get("session-1")
    note_session(house.sessions, fact("renamed", 5))
    note_session(house.sessions, SessionFact("nobody", "session.ended", 9, NOW, ENDED))
    assert house.sessions.get("session-1") == before
    assert house.sessions.get("nobody") is None


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
