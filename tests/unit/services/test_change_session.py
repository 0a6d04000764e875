"""What a user can ask of a session that runs, and who can."""

from collections.abc import Callable

import pytest

from epspot.control.state import Phase, Wishes
from epspot.errors import InvalidRequest, SessionOver, SessionUnknown
from epspot.services.change_session import change_session, pause_session, resume_session
from epspot.services.follow_session import Following, View, follow_session
from epspot.services.start_session import start_session
from epspot.services.stop_session import stop_session
from tests.unit.services.house import House

ANNA, BERTIL = "anna", "bertil"


@pytest.fixture
def house() -> House:
    """Open a site whose outlets are known and off; Anna has a session at the first."""
    house = House().open()
    start_session(house.starting, ANNA, "s-1", "key")
    house.note()
    return house


def hers(house: House) -> str:
    [record] = house.sessions.of_user(ANNA, 9)
    return record.id


def change(world: Following, user: str, session: str) -> View:
    return change_session(world, user, session, Wishes(until_wh=2_000))


ASKS: tuple[Callable[[Following, str, str], View], ...] = (pause_session, resume_session, change)


def test_a_pause_and_its_end(house: House) -> None:
    """The answer shows the session off, and on again; so does its history."""
    paused = pause_session(house.following, ANNA, hers(house))
    assert (paused.state, paused.allowance_a, paused.limited_by) == ("paused", 0.0, "paused")
    house.note()
    assert house.sessions.records[hers(house)].state == "paused"
    house.take(house.frame())
    resumed = resume_session(house.following, ANNA, hers(house))
    assert (resumed.state, resumed.allowance_a) == ("active", 12.0)
    house.note()
    assert house.sessions.records[hers(house)].state == "active"


def test_a_pause_makes_room(house: House) -> None:
    """Who waited is served when the paused session's current is seen to be over; resuming means waiting."""
    start_session(house.starting, BERTIL, "s-2", "key")
    third = start_session(house.starting, "cecilia", "s-3", "key")
    assert (third.state, third.position) == ("queued", 1)
    pause_session(house.following, ANNA, hers(house))
    house.take(house.frame())
    session = house.live().session_at("s-3")
    assert session is not None
    assert session.phase is Phase.ACTIVE
    again = resume_session(house.following, ANNA, hers(house))
    assert (again.state, again.position) == ("queued", 1)


def test_other_wishes(house: House) -> None:
    """The answer has the new wishes, and the bridge is commanded at once."""
    sent = len(house.commands.sent)
    changed = change_session(house.following, ANNA, hers(house), Wishes(until_wh=2_000))
    assert changed.wishes.until_wh == 2_000
    [command] = house.commands.sent[sent:]
    assert command.modules["M1"].until_wh == 3_000  # its register stood at 1000
    assert follow_session(house.following, ANNA, hers(house)).wishes.until_wh == 2_000


def test_a_session_put_off_tells_when_it_begins(house: House) -> None:
    """With a later start the session is planned, and says for when."""
    later = house.clock.at + 3600
    changed = change_session(house.following, ANNA, hers(house), Wishes(start_at=later))
    assert (changed.state, changed.begins_at, changed.allowance_a) == ("planned", later, 0.0)


def test_wishes_that_can_not_be_meant(house: House) -> None:
    """A refusal leaves the session as it was."""
    before = house.live()
    with pytest.raises(InvalidRequest) as refused:
        change_session(house.following, ANNA, hers(house), Wishes(until_wh=-1))
    assert "måste" in refused.value.swedish
    assert house.live() == before


def test_what_a_user_may_not_say(house: House) -> None:
    """Group and vehicle are not the user's to change: they stay, whatever is sent."""
    change_session(house.following, ANNA, hers(house), Wishes(group="board", least_a=1.0, until_wh=2_000))
    w = house.live().sessions[hers(house)].wishes
    assert (w.group, w.least_a, w.until_wh) == ("", None, 2_000)


@pytest.mark.parametrize("ask", ASKS)
def test_another_s_session_is_unknown(house: House, ask: Callable[[Following, str, str], View]) -> None:
    """Nobody can pause, resume or change the session of another, nor learn that there is one."""
    before = house.live()
    with pytest.raises(SessionUnknown):
        ask(house.following, BERTIL, hers(house))
    with pytest.raises(SessionUnknown):
        ask(house.following, ANNA, "none")
    assert house.live() == before


@pytest.mark.parametrize("noted", [False, True], ids=["stopping", "ended"])
@pytest.mark.parametrize("ask", ASKS)
def test_a_session_that_is_over(
    house: House,
    ask: Callable[[Following, str, str], View],
    noted: bool,  # noqa: FBT001 - a case
) -> None:
    """From the moment when it is stopped, nothing can be asked of a session."""
    session = hers(house)
    stop_session(house.following, ANNA, session)
    if noted:
        house.clock.at += 10
        house.take(house.frame())
        house.note()
        assert house.sessions.records[session].state == "ended"
    with pytest.raises(SessionOver) as refused:
        ask(house.following, ANNA, session)
    assert refused.value.swedish != str(refused.value)
