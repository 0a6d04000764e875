"""What the use cases promise, whatever happens at the same time."""

from collections.abc import Callable, Sequence

import pytest

from epspot.control.effects import Step
from epspot.control.events import StartRequested, Ticked, Watched
from epspot.control.state import Live
from epspot.errors import (
    Conflict,
    InvalidRequest,
    InvalidSite,
    KeyReused,
    NotFound,
    OutletOccupied,
    OutletOffline,
    OutletUnknown,
    SessionOver,
    SessionUnknown,
)
from epspot.ports import SessionRecord
from epspot.registry.kinds import Change
from epspot.services.advance import MAX_TRIES, advance
from epspot.services.follow_session import follow_session
from epspot.services.list_outlets import list_outlets
from epspot.services.list_sessions import MOST, list_sessions
from epspot.services.note_session import note_session
from epspot.services.register_site import register_site
from epspot.services.start_session import session_id, start_session
from epspot.services.stop_session import stop_session
from epspot.services.take_message import Taken, note_presence
from epspot.services.tick_sites import tick_sites
from epspot.site import Policy, Site
from iot.contract import Event, EventKind, Frame, History, Plug, Row
from tests.fakes import FakeLives
from tests.unit.services.house import BOOT, OFF, House, site_of


class Raced(FakeLives):
    """A store in which something always, or some times, comes between a load and its commit."""

    def __init__(self) -> None:
        super().__init__()
        self.between: list[Callable[[], object]] = []
        self.tries = 0

    def commit(
        self,
        before: Live,
        step: Step,
        record: SessionRecord | None = None,
        site: Site | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        self.tries += 1
        if self.between:
            self.between.pop(0)()
        super().commit(before, step, record, site, changes)


@pytest.fixture
def house() -> House:
    """Open a site whose outlets are known and off."""
    return House().open()


@pytest.fixture
def raced() -> tuple[House, Raced]:
    """Open the same over a store with races."""
    lives = Raced()
    return House(lives=lives).open(), lives


# ------------------------------------------------------------------ advance


def test_a_lost_race_is_run_again(raced: tuple[House, Raced]) -> None:
    """An event that lost a race happens to what the winner wrote, and both are in the state."""
    house, lives = raced
    lives.between = [lambda: advance(house.controller, "s", StartRequested(house.clock.at, "theirs", "s-2"))]
    result = advance(house.controller, "s", StartRequested(house.clock.at, "mine", "s-1"))
    assert set(house.live().sessions) == {"mine", "theirs"}
    assert result.live.sessions == house.live().sessions


def test_races_end(raced: tuple[House, Raced]) -> None:
    """When others always win, the caller is told after a fixed number of tries, and no command was sent."""
    house, lives = raced
    sent, lives.tries = len(house.commands.sent), 0

    def lose() -> None:
        lives._lives["s"] = Live(
            **{f: getattr(house.live(), f) for f in _FIELDS} | {"version": house.live().version + 1}
        )

    lives.between = [lose] * MAX_TRIES
    with pytest.raises(Conflict):
        advance(house.controller, "s", StartRequested(house.clock.at, "mine", "s-1"))
    assert lives.tries == MAX_TRIES
    assert len(house.commands.sent) == sent
    assert house.live().sessions == {}


_FIELDS = tuple(Live.__dataclass_fields__)


def test_commands_follow_the_commit(raced: tuple[House, Raced]) -> None:
    """No command leaves before what it stands on is written, and each leaves once."""
    house, lives = raced
    before = len(house.commands.sent)
    lives.between = [lambda: seen.append(len(house.commands.sent))]
    seen: list[int] = []
    advance(house.controller, "s", StartRequested(house.clock.at, "mine", "s-1"))
    assert seen == [before]
    assert len(house.commands.sent) == before + 1
    assert house.commands.sent[-1].modules["M1"].limit_a == 12.0


def test_a_refusal_changes_nothing(house: House) -> None:
    """A request that the step refuses is neither written nor retried."""
    before = house.live()
    with pytest.raises(OutletUnknown):
        advance(house.controller, "s", StartRequested(house.clock.at, "mine", "nowhere"))
    with pytest.raises(NotFound):
        advance(house.controller, "nowhere", Ticked(house.clock.at))
    assert house.live() == before


# ------------------------------------------------------------------ starting


def test_a_start_is_answered_at_once(house: House) -> None:
    """Who fits gets current, who does not is told its place in the queue and what is full."""
    views = [start_session(house.starting, f"user-{n}", f"s-{n}", "key") for n in (1, 2, 3)]
    assert [(v.state, v.position) for v in views] == [("active", None), ("active", None), ("queued", 1)]
    assert (views[0].allowance_a, views[2].limited_by) == (12.0, "main/L1")
    assert views[0].record.user == "user-1"
    assert views[0].record.number == "1"


def test_the_same_key_is_the_same_session(house: House) -> None:
    """A repeated request gets the same session, whatever has become of it; another outlet is refused."""
    first = start_session(house.starting, "anna", "s-1", "key")
    house.clock.at += 100
    again = start_session(house.starting, "anna", "s-1", "key")
    assert again.record == first.record
    assert len(house.live().sessions) == 1
    with pytest.raises(KeyReused):
        start_session(house.starting, "anna", "s-2", "key")
    other = start_session(house.starting, "bo", "s-2", "key")
    assert other.record.id != first.record.id


def test_the_same_request_twice_at_once(raced: tuple[House, Raced]) -> None:
    """When the same request wins between load and commit, the loser is told of that session and not refused."""
    house, lives = raced
    won = []
    lives.between = [lambda: won.append(start_session(house.starting, "anna", "s-1", "key"))]
    lost = start_session(house.starting, "anna", "s-1", "key")
    assert lost.record == won[0].record
    assert len(house.live().sessions) == 1


def test_an_outlet_taken_at_the_same_moment(raced: tuple[House, Raced]) -> None:
    """When another user's request wins, the loser is told that the outlet is in use, and has no session."""
    house, lives = raced
    lives.between = [lambda: start_session(house.starting, "bo", "s-1", "key")]
    with pytest.raises(OutletOccupied):
        start_session(house.starting, "anna", "s-1", "key")
    assert list_sessions(house.sessions, "anna") == []


def test_starts_that_are_refused(house: House) -> None:
    """Unknown, occupied and unreachable outlets are refused, and leave no session behind."""
    start_session(house.starting, "bo", "s-1", "key")
    cases: list[tuple[str, type[Exception]]] = [("s-1", OutletOccupied), ("s-9", OutletUnknown), ("", OutletUnknown)]
    for outlet, error in cases:
        with pytest.raises(error):
            start_session(house.starting, "anna", outlet, "key")
    house.take(house.frame(M2=None))
    with pytest.raises(OutletOffline):
        start_session(house.starting, "anna", "s-2", "key")
    assert list_sessions(house.sessions, "anna") == []


@pytest.mark.parametrize("key", ["", "k" * 101, "å", "a\nb", "\x00"])
def test_keys_have_a_form(house: House, key: str) -> None:
    """A key is 1 to 100 printable ASCII characters."""
    with pytest.raises(InvalidRequest):
        start_session(house.starting, "anna", "s-1", key)


def test_a_session_s_id_tells_nobody_whose_it_is() -> None:
    """The id depends on user and key, and holds neither."""
    ids = {session_id(user, key) for user in ("anna", "bo") for key in ("k", "l")}
    assert len(ids) == 4
    assert all(len(i) == 26 and "anna" not in i for i in ids)


# ------------------------------------------------------------------ following and stopping


def test_a_session_is_followed(house: House) -> None:
    """Its user sees allowance, current, power and energy as measured last."""
    session = start_session(house.starting, "anna", "s-1", "key").record.id
    house.clock.at += 60
    house.take(
        house.frame(M1=OFF._replace(relay=True, limit_a=12.0, current_a=(11.5, 0, 0), power_w=2645, energy_wh=1044))
    )
    seen = follow_session(house.following, "anna", session)
    assert (seen.state, seen.allowance_a, seen.current_a, seen.power_w) == ("active", 12.0, (11.5,), 2645.0)
    assert (seen.energy_wh, seen.position, seen.measured_at) == (44, None, house.clock.at)


def test_who_looks_gets_fresh_figures(house: House) -> None:
    """A look asks the site's bridges for fast frames, once for as long as it lasts, and a look back costs nothing."""
    session = start_session(house.starting, "anna", "s-1", "key").record.id
    before = house.live().version
    for _ in range(3):
        follow_session(house.following, "anna", session)
    assert house.live().version == before + 1
    assert house.commands.sent[-1].interval_s == Policy().fast_interval_s
    end(house, session)
    version = house.live().version
    assert follow_session(house.following, "anna", session).state == "ended"
    assert house.live().version == version


def end(house: House, session: str) -> None:
    """Stop a session and let its last register come in."""
    stop_session(house.following, "anna", session)
    house.take(house.frame(M1=OFF._replace(energy_wh=1050)))
    house.note()


def test_a_session_that_has_just_ended(house: House) -> None:
    """Between the end and its note in the history a session is shown as stopping, not as it once was."""
    session = start_session(house.starting, "anna", "s-1", "key").record.id
    stop_session(house.following, "anna", session)
    house.take(house.frame(M1=OFF._replace(energy_wh=1050)))
    assert house.live().sessions == {}
    assert follow_session(house.following, "anna", session).state == "stopping"
    house.note()
    seen = follow_session(house.following, "anna", session)
    assert (seen.state, seen.energy_wh, seen.limited_by) == ("ended", 50, "stopped")


def test_a_session_is_stopped_once(house: House) -> None:
    """The first stop is answered with what is left to do, the next with that it is over."""
    session = start_session(house.starting, "anna", "s-1", "key").record.id
    stopped = stop_session(house.following, "anna", session)
    assert (stopped.state, stopped.allowance_a, stopped.limited_by) == ("stopping", 0.0, "stopped")
    with pytest.raises(SessionOver):
        stop_session(house.following, "anna", session)
    house.take(house.frame())
    with pytest.raises(SessionOver):
        stop_session(house.following, "anna", session)
    house.note()
    with pytest.raises(SessionOver):
        stop_session(house.following, "anna", session)


@pytest.mark.parametrize("call", [follow_session, stop_session])
def test_only_its_user_has_a_session(house: House, call: Callable[[object, str, str], object]) -> None:
    """Another's session is as unknown as one that does not exist."""
    session = start_session(house.starting, "anna", "s-1", "key").record.id
    told = []
    for user, wanted in (("bo", session), ("anna", "nothing"), ("", session)):
        with pytest.raises(SessionUnknown) as refused:
            call(house.following, user, wanted)
        told.append(str(refused.value))
    assert len(set(told)) == 1
    assert house.live().sessions[session].end is None


# ------------------------------------------------------------------ listing


def test_outlets_tell_what_they_are_doing(house: House) -> None:
    """An outlet is free, plugged, in use or offline."""
    register_site(house.lives, house.clock, site_of("t"))
    house.take(house.frame(M1=OFF._replace(plug=Plug.NONE), M2=None))
    start_session(house.starting, "anna", "s-3", "key")

    def states(name: str) -> list[str]:
        site, live = house.lives.load(name)
        return [o.state for o in list_outlets(site, live, site.outlets)]

    assert states("s") == ["free", "offline", "in_use"]
    assert states("t") == ["offline"] * 3
    house.take(house.frame())
    assert states("s")[:2] == ["plugged", "plugged"]


def test_a_long_history_is_cut(house: House) -> None:
    """At most a hundred sessions are listed, the newest."""
    for n in range(MOST + 20):
        house.sessions.records[str(n)] = SessionRecord(str(n), "anna", "s", "s-1", "1", float(n), "ended")
    listed = list_sessions(house.sessions, "anna")
    assert [r.id for r in listed] == [str(n) for n in range(MOST + 19, 19, -1)]


# ------------------------------------------------------------------ messages


def test_an_old_frame_is_left(house: House) -> None:
    """A frame that waited for more than a minute is useless; an event and a history are not."""
    before = house.live()
    frame = house.frame(M1=OFF._replace(energy_wh=2000))
    received = house.clock.at
    house.clock.at += 61
    assert _take(house, "frame", frame, received) is Taken.TOO_OLD
    assert house.live() == before
    event = Event("s-b1", BOOT, 90, 0, 1, EventKind.UNPLUGGED, "M1", OFF._replace(plug=Plug.NONE))
    assert house.take(event, kind="event") is Taken.USED
    assert int(house.live().readings["s-b1"].modules["M1"].plug) == Plug.NONE
    history = History("s-b1", BOOT, 91, 0, (Row("M1", 100, 1005), Row("X", 50, 1)))
    assert house.take(history, kind="history") is Taken.USED
    rows = [["s-1", round(house.clock.at - 100), 1005]]
    assert house.lives.outbox[-1].fact.detail == {"boot": BOOT, "seq": 91, "rows": rows}
    assert house.refused.kept == []


def _take(house: House, kind: str, payload: bytes, received_at: float) -> Taken:
    from epspot.services.take_message import take_message  # noqa: PLC0415

    return take_message(house.intake, f"epspot/v1/s-b1/{kind}", payload, received_at)


def test_what_can_t_be_used_is_kept(house: House) -> None:
    """Messages that break the contract, or of a bridge that belongs to no site, are kept with the reason."""
    before = house.live()
    stranger = Frame("nobody-b1", BOOT, 1, 1, 0, 0, {})
    assert house.take(b"nonsense") is Taken.REFUSED
    assert house.take(stranger, "nobody-b1") is Taken.REFUSED
    assert house.take(stranger) is Taken.REFUSED
    assert [kept[0].partition(":")[0] for kept in house.refused.kept] == ["not_json", "unknown_bridge", "topic"]
    assert house.refused.kept[0][1:] == ("epspot/v1/s-b1/frame", str(b"nonsense"))
    assert house.live() == before


def test_presence_is_a_hint(house: House) -> None:
    """Both events of a connection have one number: its end counts, once, and not after the next has begun."""
    at = house.clock.at

    def tell(version: int, *, connected: bool, bridge: str = "s-b1") -> Taken:
        return note_presence(house.intake, bridge, connected=connected, version=version, at=house.clock.at)

    assert tell(4, connected=True) is Taken.USED
    house.clock.at += 5
    assert tell(4, connected=False) is Taken.USED
    assert house.live().bridges["s-b1"].suspect_since == at + 5
    house.clock.at += 5
    before = house.live()
    tell(4, connected=False)
    tell(4, connected=True)
    tell(3, connected=True)
    assert house.live() == before
    tell(5, connected=True)
    tell(4, connected=False)
    assert house.live().bridges["s-b1"].suspect_since is None
    assert tell(1, connected=True, bridge="stranger") is Taken.REFUSED


# ------------------------------------------------------------------ time


def test_time_passes_where_it_is_due(house: House) -> None:
    """The clock looks at the sites whose time has come, and sets when to look again."""
    assert tick_sites(house.ticking) == (0, [])
    house.clock.at += 100_000
    assert tick_sites(house.ticking) == (1, [])
    assert {n.fact.kind for n in house.lives.outbox} >= {"bridge.silent"}
    assert tick_sites(house.ticking) == (0, [])


def test_one_site_s_trouble_is_not_the_others() -> None:
    """A site that fails, in whatever way, is named, and the ones after it are looked at."""
    lives = Raced()
    house = House(lives=lives).open("s").open("t")
    house.clock.at += 100_000

    def fail() -> None:
        raise KeyError("gone")

    lives.between = [fail]
    assert tick_sites(house.ticking) == (2, ["s: KeyError('gone')"])
    assert house.live("t").bridges["t-b1"].silent
    assert not house.live("s").bridges["s-b1"].silent


def test_an_unsafe_site_is_not_taken_in(house: House) -> None:
    """A configuration with problems is refused with each of them, and nothing of it is written."""
    with pytest.raises(InvalidSite):
        register_site(house.lives, house.clock, site_of("bad", fuse_a=-1.0))
    assert house.sites.all() == ["s"]
    with pytest.raises(Conflict):
        register_site(house.lives, house.clock, site_of("s"))


def test_a_look_at_nothing_new(house: House) -> None:
    """A watched site that is watched again in time is not written again."""
    advance(house.controller, "s", Watched(house.clock.at))
    before = house.live()
    advance(house.controller, "s", Watched(house.clock.at + 1))
    assert house.live() == before


def test_notes_that_race_forever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note that others always overtake comes again by its queue, since the caller is told."""
    from epspot.ports import SessionFact  # noqa: PLC0415

    session = start_session(house.starting, "anna", "s-1", "key").record.id

    def lose(*_: object) -> None:
        raise Conflict(session)

    monkeypatch.setattr(house.sessions, "replace", lose)
    with pytest.raises(Conflict):
        note_session(house.noting, SessionFact(session, "session.active", 9, 0.0))
