"""What those are told who watch a site live."""

import json
from dataclasses import replace

import pytest

from epspot.control.effects import Step
from epspot.control.events import StartRequested, StopRequested, Ticked, Watched
from epspot.control.state import Alarm, Live, SessionState
from epspot.services import tell_live
from epspot.services.advance import advance
from epspot.services.change_site import edit_site
from epspot.services.follow_session import follow_session
from epspot.services.start_session import start_session
from epspot.services.tell_live import is_heard, news_of
from epspot.site import Outlet, Site
from iot.contract import Fault, Plug, Reading
from tests.unit.services.house import OFF, House, site_of

IN_S = 90.0


@pytest.fixture
def house() -> House:
    """Open a site whose first outlet is public."""
    made = House().open()
    first, *others = site_of().outlets
    public = (replace(first, public=True), *others)
    edit_site(made.controller, made.clock, "s", lambda present: (replace(present, outlets=public), ()))
    return made


def watch(house: House, channel: str) -> None:
    """Listen to a channel."""
    advance(house.controller, "s", Watched(house.clock.at, channel))


def told(house: House, channel: str) -> list[dict[str, object]]:
    """Take what has been told on a channel since this was last asked."""
    here = [body for topic, body in house.live_topics.told if topic == f"s/{channel}"]
    house.live_topics.told = [(t, b) for t, b in house.live_topics.told if t != f"s/{channel}"]
    return here


def drawing(a: float, energy_wh: int = 1000, limit_a: float = 12.0) -> Reading:
    """Make the reading of a car that charges on one phase."""
    return Reading(
        Plug.ASKING, True, (a, 0.0, 0.0), (230.0, 0.0, 0.0), round(230 * a), energy_wh, 20.0, limit_a, Fault(0), 90
    )


def start(house: House, outlet: str = "s-1") -> str:
    """Start a session as anna."""
    return start_session(house.starting, "anna", outlet, f"key-{outlet}").record.id


def test_nothing_is_sent_while_nobody_listens(house: House) -> None:
    """Sessions and frames, and somebody who asks by polling, send nothing."""
    session = start(house)
    follow_session(house.following, "anna", session)
    house.take(house.frame(M1=drawing(10.0)))
    assert house.live().watched_until > house.clock.at
    assert house.live_topics.told == []


def test_a_new_watch_is_told_all_of_its_channel_alone(house: House) -> None:
    """Guests are told of public outlets, users of all, and each channel only when it is watched."""
    watch(house, "public")
    assert told(house, "public") == [
        {
            "site": "s",
            "at": "2027-01-15T08:00:00.000+00:00",
            "full": True,
            "counts": {"plugged": 1},
            "outlets": {"s-1": "plugged"},
        }
    ]
    assert house.live_topics.told == []
    watch(house, "users")
    (body,) = told(house, "users")
    assert (body["outlets"], body["counts"]) == ({f"s-{n}": "plugged" for n in (1, 2, 3)}, {"plugged": 3})
    assert house.live_topics.told == []


def test_only_what_has_changed_is_told(house: House) -> None:
    """A start tells of one outlet, with the counts of all; a frame that repeats what is known tells nothing."""
    watch(house, "users")
    house.live_topics.told.clear()
    start(house, "s-2")
    (body,) = told(house, "users")
    assert (body["full"], body["outlets"], body["counts"]) == (False, {"s-2": "in_use"}, {"plugged": 2, "in_use": 1})
    house.take(house.frame())
    house.live_topics.told.clear()
    house.take(house.frame())
    assert house.live_topics.told == []


def test_guests_learn_nothing_of_what_is_not_public(house: House) -> None:
    """What happens at other outlets is not told on the public channel, not even as a message without content."""
    watch(house, "public")
    house.live_topics.told.clear()
    start(house, "s-2")
    assert house.live_topics.told == []


def test_a_watch_ends_by_itself(house: House) -> None:
    """When nobody has asked for 90 s, nothing more is sent; what was prolonged goes on."""
    watch(house, "users")
    watch(house, "owner")
    house.clock.at += 60
    watch(house, "owner")
    house.clock.at += 40
    house.live_topics.told.clear()
    start(house)
    assert {topic for topic, _ in house.live_topics.told} == {"s/owner"}
    house.clock.at += 60
    house.live_topics.told.clear()
    advance(house.controller, "s", Ticked(house.clock.at))
    start(house, "s-2")
    assert house.live_topics.told == []


def test_many_who_watch_cost_one_write(house: House) -> None:
    """A watch is written again only in its last half, and then tells all."""
    watch(house, "public")
    version = house.live().version
    house.clock.at += 40
    watch(house, "public")
    assert house.live().version == version
    assert len(told(house, "public")) == 1
    house.clock.at += 10
    watch(house, "public")
    assert house.live().version == version + 1
    assert [body["full"] for body in told(house, "public")] == [True]


def test_ended_watches_are_forgotten(house: House) -> None:
    """The state does not keep who listened long ago."""
    watch(house, "public")
    house.clock.at += 100
    watch(house, "session/x")
    assert house.live().listened == {"session": house.clock.at + IN_S}


def test_owners_see_figures(house: House) -> None:
    """An owner is told allowances, currents, what the fuses carry, and which session it is, but not whose."""
    session = start(house)
    house.take(house.frame(M1=drawing(10.0)))
    watch(house, "owner")
    (body,) = told(house, "owner")
    assert body["outlets"]["s-1"] == {  # type: ignore[index]
        "state": "in_use",
        "allowance_a": 12.0,
        "limited_by": "main/L1",
        "current_a": [10.0],
        "power_w": 2300,
        "session": {"id": session, "state": "active"},
    }
    assert body["outlets"]["s-2"]["session"] is None  # type: ignore[index]
    assert body["fuses"] == {"main": {"measured_a": [10.0, 0.0, 0.0]}}
    assert (body["alarms"], body["counts"]) == ([], {"in_use": 1, "plugged": 2})
    assert "anna" not in json.dumps(body)


def test_small_changes_of_current_are_not_told(house: House) -> None:
    """A current that wavers is told when it has moved by about half an ampere."""
    start(house)
    watch(house, "owner")
    house.take(house.frame(M1=drawing(10.0)))
    house.live_topics.told.clear()
    house.take(house.frame(M1=drawing(10.1)))
    assert house.live_topics.told == []
    house.take(house.frame(M1=drawing(11.0)))
    (body,) = told(house, "owner")
    assert [*body["outlets"]] == ["s-1"]  # type: ignore[misc]
    assert body["fuses"] == {"main": {"measured_a": [11.0, 0.0, 0.0]}}
    assert "alarms" not in body


def test_owners_are_told_of_alarms(house: House) -> None:
    """An alarm that is raised or cleared is told with all that stand, even when no figure has moved."""
    watch(house, "owner")
    site, before = house.lives.load("s")
    alarm = Alarm("module_lost", "s-1", before.at, raised=True, detail={"x": 1})
    hidden = replace(alarm, about="s-2", raised=False)
    after = replace(before, alarms={"a": alarm, "b": hidden})
    (news,) = news_of(site, before, Ticked(before.at), Step(after))
    assert news.body["alarms"] == [{"code": "module_lost", "about": "s-1", "since": "2027-01-15T08:00:00.000+00:00"}]
    (news,) = news_of(site, after, Ticked(before.at), Step(before))
    assert news.body["alarms"] == []


def test_a_session_is_told_as_its_user_would_see_it(house: House) -> None:
    """What comes live of a session is what asking for it shows at that moment, without a word of others."""
    session = start(house)
    other = start(house, "s-2")
    watch(house, f"session/{session}")
    (body,) = told(house, f"session/{session}")
    assert house.live_topics.told == []
    view = follow_session(house.following, "anna", session)
    figures = ("state", "allowance_a", "power_w", "energy_wh", "position", "limited_by", "cut_short")
    assert {name: body[name] for name in figures} == {name: getattr(view, name) for name in figures}
    assert (body["id"], body["outlet"], other in json.dumps(body)) == (session, "s-1", False)


def test_each_session_on_its_own_topic(house: House) -> None:
    """Figures of a session go to its own topic when they have moved, and its end with what it has had."""
    session = start(house)
    watch(house, f"session/{session}")
    house.live_topics.told.clear()
    house.take(house.frame(M1=drawing(10.0)))
    (body,) = told(house, f"session/{session}")
    assert (body["current_a"], body["energy_wh"]) == ([10.0], 0)
    house.take(house.frame(M1=drawing(10.0, energy_wh=1049)))
    assert told(house, f"session/{session}") == []
    house.take(house.frame(M1=drawing(10.0, energy_wh=1051)))
    assert [b["energy_wh"] for b in told(house, f"session/{session}")] == [51]
    advance(house.controller, "s", StopRequested(house.clock.at, session))
    house.take(house.frame(M1=OFF._replace(energy_wh=1060)))
    *_, end = told(house, f"session/{session}")
    assert end == {
        "id": session,
        "outlet": "s-1",
        "state": "ended",
        "ended_at": "2027-01-15T08:00:00.000+00:00",
        "reason": "stopped",
        "energy_wh": 60,
        "start_wh": 1000,
        "end_wh": 1060,
    }
    assert house.live_topics.told == []


def test_what_cannot_be_sent_harms_nothing(house: House) -> None:
    """Control goes on when nothing can be told live, and it is counted."""
    watch(house, "owner")
    house.live_topics.broken = True
    sent = len(house.commands.sent)
    start(house)
    assert len(house.commands.sent) > sent
    assert (house.live_topics.take_lost(), house.live_topics.take_lost()) == (1, 0)


def test_a_large_site_is_told_in_parts() -> None:
    """No message has more outlets than AWS IoT takes; the counts come once."""
    outlets = tuple(
        Outlet(f"a-long-name-of-an-outlet-{n:04}", str(n), "main", (0, 1, 2), 16.0, "s-b1", f"M{n}")
        for n in range(1000)
    )
    site: Site = replace(site_of(), outlets=outlets)
    sessions = {f"{n:026}": SessionState(f"{n:026}", o.id, 0.0) for n, o in enumerate(outlets)}
    before = Live("s", at=1000.0, sessions=sessions)
    after = replace(before, listened={"owner": 1090.0})
    news = [*news_of(site, before, Watched(1000.0, "owner"), Step(after))]
    assert [len(n.body["outlets"]) for n in news] == [tell_live.MOST_OUTLETS] * 4
    assert [("counts" in n.body, "fuses" in n.body) for n in news] == [(True, True), *[(False, False)] * 3]
    assert max(len(json.dumps(n.body)) for n in news) < 100_000


def test_is_heard() -> None:
    """Somebody listens until the time that was told, and not at it."""
    live = Live("s", at=1000.0, listened={"public": 990.0, "owner": 1000.0})
    assert not is_heard(live)
    assert is_heard(replace(live, listened={"public": 990.0, "owner": 1000.5}))
    assert [*news_of(site_of(), live, StartRequested(1000.0, "x", "s-1"), Step(live))] == []
