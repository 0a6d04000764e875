"""The plain form of events, states and outcomes: what is written is what is read, to the last bit."""

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.control.effects import Fact, SendCommand, Setting
from epspot.control.events import Event, FrameReceived, StartRequested
from epspot.control.journal import UnknownEntry, event_in, event_out
from epspot.control.state import Plug, Reading, Readings, SessionState
from epspot.control.written import alike, digest, into, out, text, usual

EVENTS = [kind for part in get_args(Event) for kind in (get_args(part) or (part,))]


@pytest.mark.parametrize("kind", EVENTS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_event_is_read_as_it_was_written(kind: type, data: st.DataObject) -> None:
    """Every kind of event comes back as the same values of the same types; even numbers that are none."""
    event = data.draw(st.from_type(kind))
    if isinstance(event, FrameReceived):
        event = replace(event, modules=dict(event.modules))  # hypothesis makes mappings of all kinds
    told = json.loads(text(event_out(event)))
    assert repr(event_in(told)) == repr(event)
    assert text(event_out(event_in(told))) == text(event_out(event))


@settings(max_examples=25, deadline=None)
@given(read=st.from_type(Readings))
def test_readings_are_read_as_they_were_written(read: Readings) -> None:
    """The same for readings, whatever their sets' order."""
    again = into(Readings, json.loads(text(out(read))))
    assert text(out(again)) == text(out(read))
    assert type(again.lost) is frozenset


def test_events_of_an_unknown_kind_are_refused() -> None:
    """What only a newer version knows is said to be unknown, not guessed."""
    with pytest.raises(UnknownEntry):
        event_in(["Teleported", {"at": 1.0}])


def test_every_kind_of_event_is_known() -> None:
    """A new kind of event is written without anybody having to think of it."""
    assert {kind.__name__ for kind in EVENTS} >= {"FrameReceived", "StartRequested", "OutlookReceived", "Ticked"}
    for kind in EVENTS:
        assert event_in([kind.__name__, _least(kind)]) is not None


def _least(kind: type) -> dict[str, Any]:
    """Make up the fields that an event can't be without."""
    known = {"at": 1.0, "modules": {}, "rows": [], "connected": True, "wishes": {}}
    return {name: known.get(name, "x") for name in kind.__annotations__ if name not in usual(kind)}


def test_what_is_as_usual_is_left_out() -> None:
    """So a kind may grow by fields that have a usual value."""
    assert out(StartRequested(1.0, "s", "o")) == {"at": 1.0, "session": "s", "outlet": "o"}
    assert usual(SessionState)["phase"] == "queued"
    assert "id" not in usual(SessionState)


def test_a_field_that_this_version_does_not_know_is_passed_over() -> None:
    """A newer version's state can be read as far as it goes."""
    assert into(StartRequested, {"at": 1.0, "session": "s", "outlet": "o", "mood": "high"}) == StartRequested(
        1.0, "s", "o"
    )


def test_outcomes_have_a_plain_form() -> None:
    """Facts and commands too."""
    command = SendCommand("b1", 1, "0a", 2, 900, 60, {"M1": Setting(6.0, 16.0, 0.0, conductors=(0,))})
    assert into(SendCommand, json.loads(text(out(command)))) == command
    assert out((Fact("session.active", "s", {"rows": ((1, 2),)}),)) == [
        {"kind": "session.active", "about": "s", "detail": {"rows": [[1, 2]]}}
    ]


def test_what_has_no_plain_form_is_refused() -> None:
    """Nothing is written that could not be read again."""
    with pytest.raises(TypeError):
        out({"at": object()})


def test_contents_are_compared_to_the_last_bit() -> None:
    """The kind of a number counts, the order of an object does not."""
    assert alike({"a": 1, "b": 2.0}, {"b": 2.0, "a": 1})
    assert not alike({"a": 1}, {"a": 1.0})
    assert not alike([0.0], [-0.0])
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 2.0})


def test_a_frame_is_small() -> None:
    """A reading is an array, as in the contract."""
    r = Reading(Plug.ASKING, True, (6.0, 0.0, 0.0), (230.0, 0.0, 0.0), 1380.0, 1000, 20.0, 6.0, 0, 90)
    told = json.loads(text(out(FrameReceived(1.0, "b", "0a", 1, 1, 1, {"M1": r}))))
    assert told["modules"] == {"M1": [2, True, [6.0, 0.0, 0.0], [230.0, 0.0, 0.0], 1380.0, 1000, 20.0, 6.0, 0, 90]}
