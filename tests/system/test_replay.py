"""What the deployed system kept of a site is made again: every decision to the last bit, and what another would change."""

import json
from dataclasses import replace

import pytest

from epspot.adapters.journal import entries_of, objects_below
from epspot.control.effects import Step
from epspot.control.events import Event
from epspot.control.journal import Entry, line_of
from epspot.control.state import Live
from epspot.control.step import step
from epspot.replay.__main__ import main
from epspot.services.replay import replay
from epspot.site import Site
from iot.simulator.loads import Car
from tests.system.stage import Cloud, Place, Stage, outlet, wait_for


def kept(cloud: Cloud, site: str) -> list[Entry]:
    """Read a site's journal from its bucket."""
    objects = objects_below(cloud.client("s3"), cloud.outputs.journal_bucket, "journal", None, None)
    return [e for _, data in objects for e in entries_of(data, site) if isinstance(e, Entry)]


def lived(stage: Stage) -> tuple[Place, str]:
    """Let two cars share a fuse, one of them leave, and everything reach the journal."""
    place = stage.place("replayed", outlet("replayed", 1), outlet("replayed", 2), fuse_a=20.0).start()
    anna, bertil = place.user("anna"), place.user("bertil")
    for n in (1, 2):
        place.runner.plug(f"M{n}", Car(needs_wh=60_000, phases=1, reaction_s=0.5, ramp_s=0.5))
    first = anna.start(place.outlet(1))["id"]
    place.charging(anna, first)
    place.charging(bertil, bertil.start(place.outlet(2))["id"])
    anna.stop(first)
    place.until(anna, first, "ended")
    place.runner.stop()
    wait_for("every decision is in the journal", lambda: _is_whole(place))
    return place, first


def _is_whole(place: Place) -> bool:
    versions = {e.version for e in kept(place.cloud, place.site.id) if e.decided is not None}
    return versions >= set(range(place.live().version))


def smaller(site: Site, live: Live, event: Event) -> Step:
    """Step as if the fuse were smaller."""
    fuses = tuple(replace(f, rating_a=(10.0, 10.0, 10.0)) for f in site.fuses)
    return step(replace(site, fuses=fuses), live, event)


def test_a_lived_hour_is_made_again(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Every step that several Lambdas made comes out again; a smaller fuse would have given other allowances."""
    place, session = lived(stage)
    entries = kept(stage.cloud, place.site.id)
    (report,) = replay(entries).values()
    assert (report.differences, report.gaps) == ([], [])
    assert report.reproduced == report.steps > 10
    assert place.email("anna") not in "".join(map(line_of, entries))

    (other,) = replay(entries, make=smaller).values()
    assert f"outlet {place.outlet(1)} limit_a" in {c.what for d in other.differences for c in d.changes}

    bucket = f"s3://{stage.cloud.outputs.journal_bucket}/journal"
    assert main([bucket, "--site", place.site.id, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["sites"]
    assert told["reproduced"] >= report.steps
    assert main([bucket, "--site", place.site.id, "--explain", session]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "StartRequested" in lines[0]
    assert "ended" in lines[-1]
