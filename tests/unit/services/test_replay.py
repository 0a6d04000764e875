"""A site's journal gives its decisions again, whatever way it came, and shows what another version decides otherwise."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from epspot.control.effects import SendCommand, Step
from epspot.control.events import Event, SiteChanged, Watched
from epspot.control.journal import CHECKPOINT_EVERY, Entry, UnknownEntry, entry_in
from epspot.control.state import Live
from epspot.control.step import step
from epspot.ports import SessionRecord
from epspot.registry.kinds import Change
from epspot.replay.__main__ import main
from epspot.services.advance import advance, reconfigure
from epspot.services.register_site import register_site
from epspot.services.replay import explain, replay
from epspot.services.start_session import start_session
from epspot.services.stop_session import stop_session
from epspot.services.tick_sites import tick_sites
from epspot.site import Site
from iot.contract import Plug
from tests.fakes import FakeCommands, FakeJournal, FakeLives
from tests.unit.services.house import OFF, House, site_of

CHARGING = OFF._replace(plug=Plug.ASKING, relay=True, current_a=(6.0, 0.0, 0.0), power_w=1380.0, limit_a=6.0)


def lived(house: House | None = None) -> House:
    """Let two users share a fuse for a while."""
    h = (house or House()).open()
    for _ in range(3):
        h.clock.at += 60
        h.take(h.frame())
    for n, outlet in enumerate(("s-1", "s-2", "s-3")):
        h.clock.at += 5
        start_session(h.starting, "anna", outlet, f"key-{n}")
    for minute in range(20):
        h.clock.at += 60
        wh = 1000 + 23 * minute
        told = {m: CHARGING._replace(energy_wh=wh) for m in ("M1", "M2")}
        h.take(h.frame("s-b1", **told), "s-b1")
        h.take(h.frame("s-b2", M3=CHARGING._replace(energy_wh=wh)), "s-b2")
        tick_sites(h.ticking)
    stop_session(h.following, "anna", h.sessions.of_user("anna", 9)[0].id)
    h.clock.at += 60
    h.take(h.frame("s-b2"), "s-b2")
    return h


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    """Give the journal of a lived life."""
    return lived().journal.entries


def test_every_step_is_reproduced(entries: list[Entry]) -> None:
    """The code that decided decides the same again, to the last bit."""
    (report,) = replay(entries).values()
    assert report.steps == report.reproduced == len(entries)
    assert report.steps > 30
    assert (report.differences, report.gaps) == ([], [])


def test_what_is_written_nowhere_needs_no_entry() -> None:
    """A step that leaves no trace in the store leaves none in the journal."""
    house = House().open()
    frame = house.frame()
    house.take(frame)
    before = len(house.journal.lines)
    house.take(frame)
    assert len(house.journal.lines) == before


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_entries_does_not_matter_nor_do_doubles(entries: list[Entry], seed: int) -> None:
    """Entries from many processes come in any order and some of them twice."""
    mixed = entries + entries[::3]
    random.Random(seed).shuffle(mixed)
    (report,) = replay(mixed).values()
    assert report.reproduced == len(entries)
    assert report.doubled == len(entries[::3])
    assert report.gaps == []


def test_a_lost_entry_is_a_gap_and_the_next_checkpoint_ends_it(entries: list[Entry]) -> None:
    """What can't be checked is named and counted; from the next whole state on everything is checked again."""
    lost = next(i for i, e in enumerate(entries) if i > 8 and e.decided)
    whole = lived_with_checkpoint_at(lost + 9)
    rest = [e for i, e in enumerate(whole) if i != lost]
    (report,) = replay(rest).values()
    (gap,) = report.gaps
    assert gap.version == whole[lost].version + 1
    assert gap.since == rest[lost].at
    assert gap.steps == report.unchecked > 0
    assert report.reproduced == report.steps == len(rest) - report.unchecked
    assert report.unchecked <= 9


def lived_with_checkpoint_at(index: int) -> list[Entry]:
    """Live the same life, where another process has written one of the entries."""

    class Restarted(FakeJournal):
        def keep(self, site: Site, before: Live, event: Event, done: Step, *, committed: bool = True) -> None:
            if len(self.lines) == index:
                self._whole.clear()
            super().keep(site, before, event, done, committed=committed)

    return lived(House(journal=Restarted())).journal.entries


def test_two_gaps_are_two(entries: list[Entry]) -> None:
    """What was checked in between belongs to neither."""
    twice = [e.version for e in entries if e.decided is not None][5:12:6]
    whole = lived_with_checkpoint_at(next(i for i, e in enumerate(entries) if e.version == twice[0] + 3))
    rest = [e for e in whole if e.version not in twice or e.decided is None]
    (report,) = replay(rest).values()
    first, second = report.gaps
    assert (first.version, second.version) == (twice[0] + 1, twice[1] + 1)
    assert first.until < second.since
    assert report.reproduced == report.steps == len(rest) - report.unchecked


def test_lost_readings_leave_only_those_steps_unchecked_that_used_them(entries: list[Entry]) -> None:
    """Without the entry that wrote some readings, what rests on them is unchecked, and the decisions go on."""
    start = next(i for i, e in enumerate(entries) if e.event[0] == "StartRequested")
    lost = next(i for i in range(start, 0, -1) if entries[i].decided is None)
    (report,) = replay([e for i, e in enumerate(entries) if i != lost]).values()
    assert {g.reason for g in report.gaps} == {"readings of s-b1 are not in the journal"}
    assert 0 < report.unchecked < len(entries) / 2
    assert report.reproduced == len(entries) - 1 - report.unchecked


def test_a_journal_that_begins_in_the_middle_begins_with_a_gap(entries: list[Entry]) -> None:
    """Without any whole state nothing can be checked, and it says so."""
    (report,) = replay([e for e in entries if e.before is None]).values()
    assert report.steps == 0
    assert report.unchecked == sum(e.before is None for e in entries)


def test_only_the_time_that_is_asked_for_is_reported(entries: list[Entry]) -> None:
    """Earlier entries give the states, and are not counted."""
    middle = entries[len(entries) // 2].at
    (report,) = replay(entries, since=middle, until=middle + 120).values()
    assert report.steps == report.reproduced == sum(middle <= e.at < middle + 120 for e in entries)
    assert 0 < report.steps < len(entries) / 2


def test_each_hundredth_version_is_a_checkpoint() -> None:
    """The whole state stands in the journal now and then, also when no process is new."""
    house = House().open()
    while house.live().version <= CHECKPOINT_EVERY:
        house.clock.at += 90
        advance(house.controller, "s", Watched(house.clock.at))
    whole = [e.version for e in house.journal.entries if e.before is not None]
    assert whole == [0, CHECKPOINT_EVERY]


# ------------------------------------------------------------------ another version of the code


def other_turns(site: Site, live: Live, event: Event) -> Step:
    """Step with half the fuse."""
    half = tuple(replace(f, rating_a=(8.0, 8.0, 8.0)) for f in site.fuses)
    return step(replace(site, fuses=half), live, event)


def test_another_version_s_decisions_are_listed(entries: list[Entry]) -> None:
    """What another version would have decided stands beside what was decided, field by field."""
    (report,) = replay(entries, make=other_turns).values()
    assert report.steps == len(entries)
    assert 0 < len(report.differences) < len(entries)
    start = next(d for d in report.differences if d.event == "StartRequested")
    told = {c.what: (c.before, c.now) for c in start.changes}
    assert told == {"outlet s-1 limit_a": (12.0, 8.0), "command s-b1 M1 limit_a": (12.0, 8.0)}
    later = {c.what.partition(" ")[0] for d in report.differences for c in d.changes}
    assert {"outlet", "session", "bridge", "fact", "command"} <= later
    usual = next(c for d in report.differences for c in d.changes if c.what.endswith(" phase"))
    assert (usual.before, usual.now) == ("active", "queued")


def test_one_difference_does_not_make_all_that_follow_differ(entries: list[Entry]) -> None:
    """Each step is made from the state of then."""
    odd = entries[len(entries) // 2]

    def once_otherwise(site: Site, live: Live, event: Event) -> Step:
        done = step(site, live, event)
        is_it = (live.version, event.at, type(event).__name__) == (odd.version, odd.at, odd.event[0])
        return replace(done, live=replace(done.live, turn=7)) if is_it else done

    (report,) = replay(entries, make=once_otherwise).values()
    (difference,) = report.differences
    assert (difference.at, difference.event) == (odd.at, odd.event[0])
    assert [c.what for c in difference.changes] == ["turn"]


def test_a_step_that_fails_now_is_a_difference(entries: list[Entry]) -> None:
    """A version that can't make a step has that said of each, and goes on."""

    def fails(_site: Site, _live: Live, event: Event) -> Step:
        raise ValueError(type(event).__name__)

    (report,) = replay(entries[:5], make=fails).values()
    assert len(report.differences) == 5
    assert report.differences[0].changes[0].now == "ValueError('Ticked')"


# ------------------------------------------------------------------ races and crashes


class Racing(FakeLives):
    """Lives in which another's hands get between a load and its commit."""

    other: Callable[[], object] | None = None

    def commit(
        self,
        before: Live,
        step: Step,
        record: SessionRecord | None = None,
        site: Site | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        hook, self.other = self.other, None
        if hook is not None:
            hook()
        super().commit(before, step, record, site, changes)


def test_a_lost_race_is_run_again_and_only_what_counted_is_made_again() -> None:
    """The attempt that lost is told apart from the steps that were committed."""
    lives = Racing()
    house = House(lives).open()
    lives.other = lambda: start_session(house.starting, "bertil", "s-3", "other")
    start_session(house.starting, "anna", "s-1", "key")
    (report,) = replay(house.journal.entries).values()
    assert report.lost_races == 1
    assert report.reproduced == report.steps == len(house.journal.lines) - 1
    assert report.gaps == []


def test_half_a_commit_is_no_gap() -> None:
    """A decision that was written before its readings met another's is known from the attempt."""
    lives = Racing()
    house = House(lives).open()
    start_session(house.starting, "anna", "s-1", "key")
    for minute in range(6):
        house.clock.at += 60
        house.take(house.frame(M1=CHARGING._replace(current_a=(12.0, 0.0, 0.0), limit_a=12.0, energy_wh=1000 + minute)))
    house.clock.at += house.lives.load("s")[0].policy.lease_s / 2 - 300
    renews, newer = (
        house.frame(M1=CHARGING._replace(current_a=(12.0, 0.0, 0.0), limit_a=12.0, energy_wh=wh)) for wh in (1010, 1011)
    )

    def earlier() -> None:
        house.clock.at -= 300
        house.take(newer)
        house.clock.at += 300

    lives.other = earlier
    before = len(house.journal.lines)
    house.take(renews)
    quick, half = house.journal.entries[before:]
    assert (quick.committed, quick.decided) == (True, None)
    assert (half.committed, half.version) == (False, quick.version)
    assert house.live().version == half.version + 1
    house.clock.at += 60
    house.take(house.frame())
    (report,) = replay(house.journal.entries).values()
    assert (report.gaps, report.lost_races) == ([], 0)
    assert report.reproduced == report.steps == len(house.journal.lines)


def test_a_command_that_can_not_be_sent_leaves_no_gap() -> None:
    """What was committed is kept, whatever becomes of its commands; and it is kept after they are out."""
    order: list[str] = []

    class Broken(FakeCommands):
        def publish(self, command: SendCommand) -> None:
            order.append("sent")
            raise ConnectionError(command.bridge)

    class Noting(FakeJournal):
        def keep(self, site: Site, before: Live, event: Event, done: Step, *, committed: bool = True) -> None:
            order.append("kept")
            super().keep(site, before, event, done, committed=committed)

    house = House(journal=Noting()).open()
    house.commands = Broken()
    order.clear()
    with pytest.raises(ConnectionError):
        start_session(house.starting, "anna", "s-1", "key")
    assert order == ["sent", "kept"]
    (report,) = replay(house.journal.entries).values()
    assert (report.reproduced, report.gaps) == (len(house.journal.lines), [])


def test_a_configuration_of_an_attempt_is_not_believed(entries: list[Entry]) -> None:
    """What an attempt would have changed in the configuration may never have come to be."""
    first = entries[0]
    assert first.before is not None
    site = first.before.site | {"fuses": [f | {"rating_a": [1.0, 1.0, 1.0]} for f in first.before.site["fuses"]]}
    attempt = replace(first, committed=False, at=first.at - 1, before=replace(first.before, site=site), decided={})
    (report,) = replay([attempt, *entries]).values()
    assert (report.reproduced, report.lost_races) == (len(entries), 1)


def test_a_journal_that_fails_stops_nobody() -> None:
    """Control goes on without its journal; the gap is counted and ends with a whole state."""
    house = lived()
    house.journal.broken = True
    start_session(house.starting, "anna", "s-3", "later")
    lost = house.journal.take_lost()
    house.journal.broken = False
    house.clock.at += 60
    house.take(house.frame("s-b2", M3=CHARGING), "s-b2")
    assert lost == 1
    assert house.journal.take_lost() == 0
    (report,) = replay(house.journal.entries).values()
    assert report.gaps == []
    assert report.reproduced == report.steps == len(house.journal.lines)


def test_a_site_that_was_there_before_its_journal_is_whole_from_the_first_entry() -> None:
    """A journal can begin at any time."""
    house = House()
    register_site(house.lives, house.clock, site_of())
    house.take(house.frame("s-b1"), "s-b1")
    (report,) = replay(house.journal.entries).values()
    assert report.reproduced == report.steps == 1


def test_sites_are_told_apart(entries: list[Entry]) -> None:
    """Each site has its own report."""
    other = [replace(e, site="t") for e in entries[:3]]
    reports = replay(entries + other)
    assert {s: r.steps for s, r in reports.items()} == {"s": len(entries), "t": 3}


# ------------------------------------------------------------------ why was I paused?


def test_a_session_s_time_is_explained() -> None:
    """From request to end: what it might draw, and what limited it."""
    house = lived()
    session = house.sessions.of_user("anna", 9)[0].id
    moments = explain(house.journal.entries, session)
    phases = [m.phase for m in moments]
    assert moments[0].event == "StartRequested"
    assert phases[0] in ("queued", "active")
    assert phases[-1] == "ended"
    assert moments[-1].reason == "stopped"
    assert [m.at for m in moments] == sorted(m.at for m in moments)
    assert any(m.reason == "main/L1" or "turn" in m.reason for m in moments)
    assert explain(house.journal.entries, "nobody's") == []


# ------------------------------------------------------------------ the command


@pytest.fixture
def folder(tmp_path: Path, entries: list[Entry]) -> Path:
    """Keep a journal in a folder, as several files."""
    lines = lived().journal.lines
    (tmp_path / "2027-01-15").mkdir()
    for n in range(3):
        (tmp_path / "2027-01-15" / f"part-{n}").write_text("\n".join(lines[n::3]) + "\n", "utf-8")
    assert len(lines) == len(entries)
    return tmp_path


def test_the_command_reports_and_returns_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is different: one line for the site."""
    assert main([str(folder)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("s: ")
    assert "0 different, 0 not checked" in told


def test_the_command_returns_1_for_a_difference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An allowance that this version would not give stands there, readable."""
    file = folder / "2027-01-15" / "part-0"
    lines = file.read_text("utf-8").splitlines()
    at = next(
        i
        for i, line in enumerate(lines)
        if '"limit_a":6.0' in json.dumps(json.loads(line).get("decided") or {}, separators=(",", ":"))
    )
    told = json.loads(lines[at])
    row = next(r for r in told["decided"]["outlets"].values() if r.get("limit_a") == 6.0)
    row["limit_a"] = 9.0
    lines[at] = json.dumps(told)
    file.write_text("\n".join(lines), "utf-8")
    assert main([str(folder)]) == 1
    assert "limit_a: 9.0 → 6.0" in capsys.readouterr().out


def test_the_command_tells_programs_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same as JSON."""
    assert (
        main([str(folder), "--json", "--site", "s", "--from", "2027-01-15T08:00:00", "--to", "2027-01-15T09:00:00Z"])
        == 0
    )
    (site,) = json.loads(capsys.readouterr().out)["sites"]
    assert site["steps"] == site["reproduced"] > 0
    assert site["different"] == site["not_checked"] == 0


def test_the_command_explains(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A session's time, one line a change; 2 if nobody knows it."""
    session = lived().sessions.of_user("anna", 9)[0].id
    assert main([str(folder), "--explain", session]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1].split()[2] == "ended"
    assert main([str(folder), "--explain", "nobody's"]) == 2


def test_the_command_says_what_it_cannot_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken line is named and passed over; no journal at all is an error."""
    (folder / "broken").write_text('{"format":1,"site":"s"}\nhalf a li', "utf-8")
    assert main([str(folder)]) == 0
    assert capsys.readouterr().err.count("broken: ") == 2
    assert main([str(folder), "--site", "t"]) == 2
    assert main([str(folder / "nowhere")]) == 2


def test_an_entry_of_another_format_is_refused() -> None:
    """A version that can't read an entry says so."""
    with pytest.raises(UnknownEntry):
        entry_in({"format": 99})


def test_a_changed_configuration_is_followed() -> None:
    """Steps before and after a change are each made under the configuration that they had."""
    house = lived()
    house.clock.at += 60

    def wider(site: Site, _: Live) -> tuple[Site, SiteChanged, Sequence[Change]]:
        fuses = tuple(replace(f, rating_a=(20.0, 20.0, 20.0)) for f in site.fuses)
        return replace(site, revision=site.revision + 1, fuses=fuses), SiteChanged(house.clock.at), ()

    reconfigure(house.controller, "s", wider)
    house.clock.at += 60
    house.take(house.frame("s-b1", M1=CHARGING))
    assert {e.revision for e in house.journal.entries} == {1, 2}
    (report,) = replay(house.journal.entries).values()
    assert (report.reproduced, report.gaps) == (len(house.journal.lines), [])
