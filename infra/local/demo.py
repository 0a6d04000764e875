"""``make run``: the whole of EpSpot on this machine, on a real cooperative's busiest days.

Starts an emulated AWS account, deploys the template into it, erects a simulated site whose bridges speak real MQTT with
real certificates, and lets the recorded drivers come, start over the real API, and go. Ends by itself with ``--for``,
else with Ctrl-C, and leaves nothing running.
"""

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.live import Live as LiveDisplay
from rich.table import Table

from epspot.site import Site
from infra.local import screen, trondheim
from infra.local.bridge import announce, withdraw
from infra.local.cooperative import Stay, site_of, stays_of
from infra.local.deploy import ROOT, Outputs, deploy, warm_up
from infra.local.drivers import Api, ApiError, address_of, enrol
from infra.local.ministack import Account
from infra.local.observer import Observer
from infra.local.plant import erect, world_of
from iot.simulator.runner import SimRunner

FACTOR = 240.0
_DAYS = 3
_PERIOD_S = 0.5
_LINE_EVERY_S = 5.0
_KNOWN_WITHIN_S = 30.0
_ENDED_WITHIN_S = 90.0
"""Longer than from one frame to the next: a lost one delays the last register by that much."""
_TRIES = 8
_TRY_AGAIN = (409, 429, 500, 502, 503, 504)
_DRIVERS = 6


class Drivers:
    """The recorded people: each comes, plugs in, starts over the API, and at last unplugs."""

    def __init__(self, account: Account, outputs: Outputs, runner: SimRunner) -> None:
        self._account = account
        self._outputs = outputs
        self._runner = runner
        self._api = Api(address_of(account, outputs))
        self._passwords: dict[str, str] = {}
        self._signed_in: dict[str, Api] = {}
        self._sessions: dict[int, tuple[Api, str]] = {}
        self.answers: Counter[str] = Counter()
        """How the API answered starts: ``active``, ``queued``, or the code of a refusal."""

    def do(self, *, comes: bool, stay: Stay) -> None:
        """Come or go; whatever goes wrong on the way is counted, not lost."""
        try:
            if comes:
                self.come(stay)
            else:
                self.go(stay)
        except Exception as error:  # noqa: BLE001 - one driver's trouble is not the others'
            self.answers[f"failed: {type(error).__name__}"] += 1

    def come(self, stay: Stay) -> None:
        """Plug in and start; a busy site is asked again."""
        self._runner.plug(stay.module, stay.load)
        for attempt in range(_TRIES):
            try:
                api = self._sign_in(stay.visit.user)
                started = api.start(stay.outlet, key=f"visit-{stay.visit.id}")
            except ApiError as error:
                if error.status in _TRY_AGAIN and attempt < _TRIES - 1:
                    time.sleep(1.0)
                    continue
                self.answers[str(error.code)] += 1
                return
            self.answers[started["state"]] += 1
            self._sessions[stay.visit.id] = (api, started["id"])
            return

    def go(self, stay: Stay) -> None:
        """Unplug."""
        self._runner.unplug(stay.module)

    def stop_all(self, sessions: list[str]) -> None:
        """Let everybody stop whose session still lives, as from the app."""
        for api, session in list(self._sessions.values()):
            if session in sessions:
                try:
                    api.stop(session)
                except ApiError as error:
                    self.answers[f"stop: {error.code}"] += 1

    def _sign_in(self, user: str) -> Api:
        email = f"{user.lower()}@cooperative.example"
        if user not in self._passwords:
            self._passwords[user] = enrol(self._account, self._outputs, email)
        if user not in self._signed_in:
            self._signed_in[user] = self._api.sign_in(email, self._passwords[user])
        return self._signed_in[user]


@dataclass(frozen=True, slots=True)
class Replay:
    """Which part of the record is replayed, and how fast."""

    stays: list[Stay]
    start: datetime
    factor: float
    length_s: float

    def clock(self, elapsed_s: float) -> str:
        """Tell the recorded time that is being replayed."""
        return f"{self.start + timedelta(seconds=elapsed_s * self.factor):%a %d %b %Y %H:%M}"


def main(argv: list[str] | None = None) -> int:
    """Run the demo; 1 if an invariant was broken, a session did not end, or nobody got current."""
    parser = argparse.ArgumentParser(prog="make run", description="EpSpot, whole, on this machine.")
    parser.add_argument("--for", dest="length_s", type=float, metavar="S", help="end by itself after S seconds")
    parser.add_argument(
        "--factor", type=float, default=FACTOR, metavar="N", help="squeeze N recorded seconds into one (%(default)g)"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="keep the last picture of the site as SVG")
    args = parser.parse_args(argv)
    if args.factor < 1 or (args.length_s is not None and args.length_s <= 0):
        parser.error("--factor must be at least 1, and --for above 0")
    console = Console()
    stopping = threading.Event()
    with _on_signals(stopping):
        return _run(console, stopping, args.length_s, args.factor, args.picture)


@contextmanager
def _on_signals(stopping: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and a polite kill end the demo in order; a second Ctrl-C interrupts."""

    def stop(number: int, frame: FrameType | None) -> None:
        if stopping.is_set():
            signal.default_int_handler(number, frame)
        stopping.set()

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


def _run(
    console: Console, stopping: threading.Event, length_s: float | None, factor: float, picture: Path | None
) -> int:
    record = trondheim.read()
    left_out = ", ".join(f"{n} {why}" for why, n in record.left_out.items())
    console.print(f"{len(record.visits)} recorded sessions; left out: {left_out}. {trondheim.CREDIT}.")
    site = site_of(record, factor)
    replay = _choose(record, site, length_s, factor)
    with (
        tempfile.TemporaryDirectory(prefix="epspot-demo-") as folder,
        Account(log=ROOT / "build" / "account.log") as account,
    ):
        console.print("The emulated account is up. Deploying template.yaml …")
        outputs = deploy(account)
        warm_up(account, outputs)
        runner = erect(account, outputs, site, Path(folder))
        welcome = _welcome(account, outputs)
        console.print(welcome, soft_wrap=True, highlight=False)
        runner.start()
        announce(account, outputs)
        try:
            lives = world_of(account, outputs).lives
            observer = Observer(account, outputs.core_table, lives, site, runner)
            drivers = Drivers(account, outputs, runner)
            _wait_until_known(observer, stopping)
            _replay(console, stopping, replay, observer, drivers, welcome=welcome)
            if picture is not None:
                screen.save(observer, replay.clock(replay.length_s), picture)
            _say_farewell(stopping, observer, drivers)
        finally:
            withdraw()
            runner.stop()
    _summary(console, observer, drivers)
    nobody = length_s is not None and not stopping.is_set() and not observer.tally.started
    return 1 if observer.tally.broken or nobody else 0


def _choose(record: trondheim.Record, site: Site, length_s: float | None, factor: float) -> Replay:
    """Choose the busiest days; of a limited time the busiest hours of the busiest day."""
    days = record.busiest_days(_DAYS)
    if length_s is None:
        start = datetime.combine(days[0], datetime.min.time(), record.visits[0].plugged_at.tzinfo)
        length_s = _DAYS * 86_400 / factor
    else:
        start = record.densest(days[0], timedelta(seconds=length_s * factor))
    return Replay(stays_of(record, site, start, length_s, factor), start, factor, length_s)


def _wait_until_known(observer: Observer, stopping: threading.Event) -> None:
    """Wait until every outlet has shown that it is off, so that the first driver finds a ready site."""
    deadline = time.monotonic() + _KNOWN_WITHIN_S
    while time.monotonic() < deadline and not stopping.wait(_PERIOD_S / 2):
        observer.look(time.monotonic())
        if not any(s.held_a for s in observer.live.outlets.values()):
            return


def _welcome(account: Account, outputs: Outputs) -> str:
    """Make a user for whoever looks at this, and tell how to get in."""
    email = "anna@cooperative.example"
    return f"API {address_of(account, outputs)}   sign in as {email} with {enrol(account, outputs, email)}"


def _replay(
    console: Console, stopping: threading.Event, replay: Replay, observer: Observer, drivers: Drivers, *, welcome: str
) -> None:
    begun = time.monotonic()
    agenda = sorted(
        [(s.begin_s, n, True, s) for n, s in enumerate(replay.stays)]
        + [(s.end_s, n, False, s) for n, s in enumerate(replay.stays)],
        key=lambda entry: entry[:3],
    )
    with ThreadPoolExecutor(_DRIVERS, thread_name_prefix="driver") as pool, _display(console, welcome) as show:
        while (elapsed := time.monotonic() - begun) < replay.length_s and not stopping.is_set():
            while agenda and agenda[0][0] <= elapsed:
                _, _, comes, stay = agenda.pop(0)
                pool.submit(drivers.do, comes=comes, stay=stay)
            observer.look(time.monotonic())
            show(observer, replay.clock(elapsed))
            stopping.wait(_PERIOD_S)


@contextmanager
def _display(console: Console, welcome: str) -> Iterator[Callable[[Observer, str], None]]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    with LiveDisplay(console=console, screen=True, auto_refresh=False) as live:
        yield lambda observer, clock: live.update(screen.draw(observer, clock, welcome), refresh=True)


class _Lines:
    """Prints a line now and then, where there is no terminal to draw on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = 0.0

    def __call__(self, observer: Observer, clock: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY_S
            self._console.print(screen.line(observer, clock), soft_wrap=True, highlight=False)


def _say_farewell(stopping: threading.Event, observer: Observer, drivers: Drivers) -> None:
    """Let everybody stop, and wait for the last registers; after Ctrl-C only a moment."""
    observer.look(time.monotonic())
    if not stopping.is_set():
        drivers.stop_all(observer.still_live())
        deadline = time.monotonic() + _ENDED_WITHIN_S
        while observer.still_live() and time.monotonic() < deadline and not stopping.wait(_PERIOD_S):
            observer.look(time.monotonic())
        for session in observer.still_live():
            observer.tally.broken[f"i8_ends_once: {session} did not end"] += 1


def _summary(console: Console, observer: Observer, drivers: Drivers) -> None:
    t = observer.tally
    table = Table(title="Summary", show_header=False)
    table.add_row("starts over the API", ", ".join(f"{n} {how}" for how, n in drivers.answers.most_common()) or "none")
    table.add_row("sessions with current", str(len(t.started)))
    table.add_row("sessions that had to wait", str(len(t.queued)))
    reasons = Counter(t.ended.values()).most_common()
    table.add_row("ended", ", ".join(f"{n} {why}" for why, n in reasons) or "none")
    table.add_row("energy", f"{t.energy_wh} Wh")
    table.add_row("guard trips", str(t.guard_trips))
    for f in observer.site.fuses:
        if f.id == observer.site.main.id or t.highest_a.get(f.id, 0.0) > 0.5 * min(f.rating_a):
            rating = min(f.rating_a)
            highest = t.highest_a.get(f.id, 0.0)
            table.add_row(f"highest on {f.id}", f"{highest:.1f} of {rating:g} A ({highest / rating:.0%})")
    table.add_row("invariants checked", f"{t.versions} states, {t.looks} measurements of every fuse")
    table.add_row("violations", str(sum(t.broken.values())))
    console.print(table)
    for text, n in t.broken.most_common(20):
        console.print(f"[red]{n}x {text}[/red]")


if __name__ == "__main__":
    sys.exit(main())
