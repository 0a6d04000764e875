"""``Journal`` in memory and on Firehose, and the way back from S3."""

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from epspot.adapters import journal as adapter
from epspot.adapters.journal import FirehoseJournal, days_of, entries_of, files_below, objects_below, record_of
from epspot.control.draft import decision_equals
from epspot.control.effects import Step
from epspot.control.events import Event, StartRequested, Ticked
from epspot.control.journal import Entry, UnknownEntry, line_of
from epspot.control.state import Live
from epspot.control.step import step
from epspot.ports import Journal
from epspot.replay.__main__ import main
from epspot.services.replay import replay
from epspot.site import Site
from tests.contracts.houses import NOW, REGION, ROOT, frame, small_site
from tests.fakes import FakeJournal

SITE = small_site()


@dataclass
class Clock:
    """Seconds that are set by hand."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class StubFirehose:
    """A delivery stream that keeps what it gets; ``fails`` while it is down."""

    records: list[bytes] = field(default_factory=list)
    fails: bool = False
    calls: int = 0

    def put_record(self, DeliveryStreamName: str, Record: dict[str, bytes]) -> None:  # noqa: N803 - AWS's names
        assert DeliveryStreamName == "stream"
        self.calls += 1
        if self.fails:
            raise TimeoutError("no answer")
        self.records.append(Record["Data"])


@dataclass
class Kept:
    """A journal of either kind, and a look into it."""

    journal: Journal
    lines: Callable[[], list[str]]
    fail: Callable[[bool], None]


def in_memory() -> Kept:
    journal = FakeJournal()
    return Kept(journal, lambda: journal.lines, lambda broken: setattr(journal, "broken", broken))


def on_firehose() -> Kept:
    stream, clock = StubFirehose(), Clock()
    journal = FirehoseJournal(stream, "stream", clock)

    def fail(broken: bool) -> None:  # noqa: FBT001
        stream.fails = broken
        clock.now += 60

    return Kept(journal, lambda: b"".join(stream.records).decode().splitlines(), fail)


each = pytest.mark.parametrize("make", [in_memory, on_firehose])


def steps(site: Site = SITE) -> Iterator[tuple[Live, Event, Step]]:
    """Make a few steps of a site: it comes to be, is heard, and somebody starts."""
    before, live = Live(site.id), Live(site.id)
    frames = (frame(site, b, seq) for seq in (1, 2) for b in site.of_bridge)
    events: list[Event] = [Ticked(NOW), *frames, StartRequested(NOW, "session", site.outlets[0].id)]
    for event in events:
        before, done = live, step(site, live, event)
        decided = bool(done.facts) or not decision_equals(before, done.live)
        live = replace(done.live, version=before.version + decided)
        yield before, event, done


@each
def test_what_is_kept_is_reproduced(make: Callable[[], Kept]) -> None:
    """Each line is an entry, and all together are the site's journal; the first is whole."""
    kept = make()
    for before, event, done in steps():
        kept.journal.keep(SITE, before, event, done)
    entries = [e for e in entries_of("\n".join(kept.lines()).encode()) if isinstance(e, Entry)]
    assert [e.before is not None for e in entries] == [True] + [False] * (len(entries) - 1)
    (report,) = replay(entries).values()
    assert report.reproduced == report.steps == len(entries) >= 5


@each
def test_what_is_written_nowhere_is_not_kept(make: Callable[[], Kept]) -> None:
    """A step that changes nothing leaves no line."""
    kept = make()
    *_, (_, _, done) = steps()
    kept.journal.keep(SITE, done.live, Ticked(NOW), Step(done.live))
    assert kept.lines() == []


@each
def test_what_is_lost_is_counted_and_the_next_is_whole(make: Callable[[], Kept]) -> None:
    """A journal that is down raises nothing; when it is back it begins with the whole state."""
    kept = make()
    made = list(steps())
    kept.journal.keep(SITE, *made[0])
    kept.fail(True)
    kept.journal.keep(SITE, *made[1])
    kept.journal.keep(SITE, *made[2])
    kept.fail(False)
    kept.journal.keep(SITE, *made[3])
    assert kept.journal.take_lost() == 2
    assert kept.journal.take_lost() == 0
    assert ["before" in json.loads(line) for line in kept.lines()] == [True, True]


@each
def test_a_new_configuration_is_whole(make: Callable[[], Kept]) -> None:
    """A site's next revision stands in the journal from its first step on."""
    kept = make()
    changed = replace(SITE, revision=2)
    for site in (SITE, SITE, changed, changed):
        made = list(steps(site))
        kept.journal.keep(site, *made[-1])
    assert ["before" in json.loads(line) for line in kept.lines()] == [True, False, True, False]


@each
def test_an_attempt_does_not_count_as_whole(make: Callable[[], Kept]) -> None:
    """Its configuration may never have come to be: the first step that was committed is whole again."""
    kept = make()
    made = list(steps())
    kept.journal.keep(SITE, *made[0], committed=False)
    kept.journal.keep(SITE, *made[0])
    kept.journal.keep(SITE, *made[1])
    assert ["before" in json.loads(line) for line in kept.lines()] == [True, True, False]
    assert ["committed" in json.loads(line) for line in kept.lines()] == [True, False, False]


def test_a_stream_that_has_failed_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """Control does not wait for a broken journal step after step, and says what is missing."""
    stream, clock = StubFirehose(fails=True), Clock()
    journal = FirehoseJournal(stream, "stream", clock)
    made = list(steps())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            journal.keep(SITE, *made[0])
            clock.now += 9
    assert stream.calls == 1
    assert journal.take_lost() == 3
    assert "site s is not in the journal" in caplog.text
    stream.fails = False
    clock.now += 30
    journal.keep(SITE, *made[0])
    assert len(stream.records) == 1


def test_a_line_that_is_too_long_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest of sites fits a record too, and is read as before."""
    stream = StubFirehose()
    FirehoseJournal(stream, "stream").keep(SITE, *next(iter(steps())))
    (entry,) = entries_of(stream.records[0])
    monkeypatch.setattr(adapter, "_MOST_BYTES", 100)
    assert isinstance(entry, Entry)
    packed = record_of(entry)
    assert len(packed) < len(stream.records[0])
    for site in (None, SITE.id):
        (again,) = entries_of(packed, site)
        assert isinstance(again, Entry)
        assert line_of(again) == line_of(entry)
    assert list(entries_of(packed, "other")) == []


@pytest.mark.parametrize("broken", [b"\x1f\x8bnot gzip", b"\xff\xfe", b"{", b"[]", b'{"packed":"x"}', b'{"format":1}'])
def test_what_is_no_journal_is_named(broken: bytes) -> None:
    """Whatever stands in a file, reading it ends with a reason."""
    (problem,) = entries_of(broken)
    assert isinstance(problem, UnknownEntry)


def test_days_are_listed_with_one_more_on_either_side() -> None:
    """The day before gives the states, the day after what came late."""
    assert list(days_of(1_800_000_000.0, 1_800_000_060.0)) == ["2027-01-14", "2027-01-15", "2027-01-16"]
    assert list(days_of(4e9, 1.0)) == []


def test_folders_are_read_whole_and_in_order(tmp_path: Path) -> None:
    """Every file below a folder, by name; a file by itself."""
    for name in ("b/2", "a/1", "b/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [data.decode() for _, data in files_below([tmp_path])] == ["a/1", "b/1", "b/2"]
    assert [data for _, data in files_below([tmp_path / "a" / "1"])] == [b"a/1"]
    with pytest.raises(FileNotFoundError):
        list(files_below([tmp_path / "c"]))


# ------------------------------------------------------------------ the whole way


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in for AWS."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


def test_a_stream_s_objects_are_read_back(aws: None, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    """The stream as the template describes it brings entries to its bucket, from where the command replays them."""
    s3 = boto3.client("s3", REGION)
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
    template = yaml_parse((ROOT / "infra" / "journal.yaml").read_text(encoding="utf-8"))
    told = template["Resources"]["Stream"]["Properties"]["ExtendedS3DestinationConfiguration"]
    firehose = boto3.client("firehose", REGION)
    firehose.create_delivery_stream(
        DeliveryStreamName="stream",
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::123456789012:role/r",
            "BucketARN": "arn:aws:s3:::kept",
            "Prefix": told["Prefix"],
            "ErrorOutputPrefix": told["ErrorOutputPrefix"],
            "CompressionFormat": told["CompressionFormat"],
        },
    )
    journal = FirehoseJournal(firehose, "stream")
    for made in steps():
        journal.keep(SITE, *made)
    assert journal.take_lost() == 0
    found = dict(objects_below(s3, "kept", "journal", None, None))
    assert len(found) >= 5
    assert main(["s3://kept/journal"]) == 0
    assert f"s: {len(found)} steps made again, {len(found)} reproduced" in capsys.readouterr().out


def test_only_the_days_that_are_asked_for_are_read(aws: None) -> None:  # noqa: ARG001
    """A long journal need not be read for one afternoon."""
    s3 = boto3.client("s3", REGION)
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
    for day in ("2027-01-10", "2027-01-14", "2027-01-15", "2027-01-17"):
        s3.put_object(Bucket="kept", Key=f"journal/{day}/part", Body=gzip.compress(day.encode()))
    found = objects_below(s3, "kept", "journal/", 1_800_000_000.0, 1_800_000_060.0)
    assert [gzip.decompress(data).decode() for _, data in found] == ["2027-01-14", "2027-01-15"]
