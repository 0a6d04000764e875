"""Entries of the journal: what a step changed, and how the state is found again from it."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.control.draft import decision_equals
from epspot.control.effects import Step
from epspot.control.events import Ticked
from epspot.control.journal import (
    Entry,
    decision_after,
    decision_out,
    entry_in,
    entry_of,
    line_of,
    live_in,
    readings_after,
)
from epspot.control.state import Live
from epspot.control.worth import readings_to_write
from epspot.control.written import alike, digest, into, out, text
from epspot.site import Site
from tests.contracts.test_codec import lives, sites
from tests.unit.domain.world import NOW, Yard, outlet, site

SITE = site(outlet("a"), outlet("b"))


def read(entry: Entry | None) -> Entry:
    """Read an entry again from its line."""
    assert entry is not None
    again = entry_in(json.loads(line_of(entry)))
    assert line_of(again) == line_of(entry)
    return again


@settings(max_examples=60, deadline=None)
@given(before=lives, after=lives, data=st.data())
def test_a_decision_follows_from_the_one_before_and_the_entry(before: Live, after: Live, data: st.DataObject) -> None:
    """Whatever a step may do to a decision, its entry gives it again: rows changed, new, gone, and their order."""
    kept = data.draw(st.permutations([*before.outlets.items(), *after.outlets.items()]))
    after = replace(after, version=before.version, outlets=dict(kept), sessions=before.sessions)
    entry = entry_of(SITE, before, Ticked(NOW), Step(after), whole=True)
    if entry is None:
        assert decision_equals(before, after)
        return
    entry = read(entry)
    assert entry.before is not None
    assert alike(entry.before.decision, decision_out(before))
    if entry.decided is None:
        return
    found = decision_after(entry.before.decision, entry)
    assert digest(found) == digest(decision_out(after))
    assert {n: list(t) for n, t in found.items() if isinstance(t, dict)} == {
        n: list(t) for n, t in decision_out(after).items() if isinstance(t, dict)
    }


@settings(max_examples=40, deadline=None)
@given(live=lives)
def test_a_state_is_found_again_from_its_plain_form(live: Live) -> None:
    """Decision and readings give the state, and the plain form of that is the same."""
    told = {b: json.loads(text(out(r))) for b, r in live.readings.items()}
    again = live_in(live.site, live.version, json.loads(text(decision_out(live))), told)
    assert again == replace(live, look_at=None)


@settings(max_examples=40, deadline=None)
@given(made=sites)
def test_a_configuration_is_found_again_from_its_plain_form(made: Site) -> None:
    """The same for a site."""
    assert into(Site, json.loads(text(out(made)))) == made


def test_readings_are_written_in_full_but_for_what_the_event_tells() -> None:
    """A module that the frame tells stands once in an entry; one that it leaves out stands in full."""
    yard = Yard(SITE)
    yard.loads["a"].wants_a = 3.0
    full = yard.after(60).next_frame()
    only_a = replace(full, base=2, modules={"A": full.modules["A"]})
    told = []
    for event in (full, only_a):
        done = yard.do(event if event is full else replace(event, seq=event.seq + 1, base=full.seq))
        before = replace(yard.live, readings={})
        entry = read(entry_of(SITE, before, event, done))
        told.append(entry.read["b1"]["modules"])
        written = readings_to_write(before, done.live, told=False)
        assert alike(readings_after(entry), {b: out(r) for b, r in written.items()})
    assert told[0] == {"A": None, "B": None}
    assert told[1]["A"] is None
    assert alike(told[1]["B"], full.modules["B"])


def test_a_line_holds_no_more_than_it_must() -> None:
    """What is empty or as usual is left out."""
    yard = Yard(SITE)
    before = yard.live
    done = yard.start("a")
    entry = entry_of(SITE, before, Ticked(NOW), done)
    assert entry is not None
    always = {"site", "at", "event", "revision", "version", "decision", "readings", "format"}
    assert set(json.loads(line_of(entry))) == always | {"decided", "facts", "commands", "before"}
