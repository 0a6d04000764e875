"""What a frame costs the controller: processor time of decoding and stepping, without input and output."""

import gc
from collections.abc import Callable, Iterator
from statistics import median
from time import process_time

from epspot.adapters.iot import ContractInbound
from epspot.control.effects import SendCommand
from epspot.control.events import Event, StartRequested
from epspot.control.state import End, Live
from epspot.control.step import step
from epspot.site import Amperes, Fuse, Outlet, Site
from iot.contract import Fault, Frame, Plug, Reading, Topics, encode
from tests.bench.cost import trondheim_writes
from tests.bench.figures import Figure

OUTLETS = 50
FRAMES = 200
BRIDGE = "b1"
GOAL = "<= 2"
_BOOT = "0123abcd"
_NOW = 1_800_000_000.0
_POST = 10


def site() -> Site:
    """Make a site of 50 three-phase outlets at posts of ten, all at one bridge, where all fit but none gets its max."""
    posts = [f"post{i}" for i in range(OUTLETS // _POST)]
    return Site(
        id="bench",
        name="bench",
        fuses=(
            Fuse("main", None, (400, 400, 400), planning_factor=1.0),
            *(Fuse(p, "main", (100, 100, 100), planning_factor=1.0) for p in posts),
        ),
        outlets=tuple(
            Outlet(f"o{i}", str(i), posts[i // _POST], (0, 1, 2), 16.0, BRIDGE, f"M{i}") for i in range(OUTLETS)
        ),
    ).checked()


class Yard:
    """The site with its bridge, which obeys at once; half of the loads wander."""

    def __init__(self) -> None:
        self.site = site()
        self.live = Live(self.site.id)
        self.now = _NOW
        self.seq = 0
        self.base = 1
        self.rev = 0
        self.limits = {o.module: 0.0 for o in self.site.outlets}
        self.told: dict[str, Reading | None] = {}
        self._read = ContractInbound().read
        self._topic = Topics().plain(BRIDGE, "frame")

    def payload(self, wander_a: float = 0.0) -> bytes:
        """Render the next frame: a full one every tenth time, else only what has changed."""
        self.now += 60
        self.seq += 1
        drawn = {m: max(0.0, a - wander_a * (i % 2)) for i, (m, a) in enumerate(self.limits.items())}
        now: dict[str, Reading | None] = {m: self._reading(a, self.limits[m]) for m, a in drawn.items()}
        if self.seq % 10 == 1:
            self.base, self.told = self.seq, now
        listed = now if self.base == self.seq else {m: r for m, r in now.items() if r != self.told[m]}
        return encode(Frame(BRIDGE, _BOOT, self.seq, self.base, 0, self.rev, listed))

    @staticmethod
    def _reading(a: float, limit_a: float) -> Reading:
        current: Amperes = (a, a, a)
        return Reading(
            Plug.ASKING, limit_a > 0, current, (230.0,) * 3, round(690 * a), 1_000_000, 20.0, limit_a, Fault(0), 90
        )

    def decide(self, payload: bytes) -> None:
        """Do all that the controller does with a frame but load, commit and publish."""
        self.happen(self._read(self._topic, payload, self.now))

    def happen(self, event: Event) -> None:
        done = step(self.site, self.live, event)
        self.live = done.live
        for command in done.commands:
            self.obey(command)

    def obey(self, command: SendCommand) -> None:
        self.rev = command.rev
        self.limits = {m: s.limit_a for m, s in command.modules.items()}

    def settle(self) -> None:
        """Start a session everywhere, and wait until all have what they shall have."""
        for _ in range(2):
            self.decide(self.payload())
        for o in self.site.outlets:
            self.happen(StartRequested(self.now, f"s-{o.id}", o.id))
        for _ in range(12):
            self.decide(self.payload())


def cpu_ms(frames: Iterator[Callable[[], None]]) -> float:
    """Run each; the median processor time in ms."""
    times = []
    gc.collect()
    for run in frames:
        start = process_time()
        run()
        times.append((process_time() - start) * 1000)
    return median(times)


def unchanged() -> Iterator[Callable[[], None]]:
    """Frames in which nothing has changed."""
    yard = Yard()
    yard.settle()
    for _ in range(FRAMES):
        payload = yard.payload()
        yield lambda payload=payload: yard.decide(payload)  # type: ignore[misc]


def changed() -> Iterator[Callable[[], None]]:
    """Frames in which half of the loads draw something else than before."""
    yard = Yard()
    yard.settle()
    for i in range(FRAMES):
        payload = yard.payload(wander_a=(i % 3) + 0.5)
        yield lambda payload=payload: yard.decide(payload)  # type: ignore[misc]


def deciding() -> Iterator[Callable[[], None]]:
    """Frames in which one load has unplugged, so that everything is decided anew."""
    yard = Yard()
    yard.settle()
    module = next(iter(yard.limits))
    gone = Yard._reading(0.0, yard.limits[module])._replace(plug=Plug.NONE)
    yard.now += 60
    payload = encode(Frame(BRIDGE, _BOOT, yard.seq + 1, yard.base, 0, yard.rev, {module: gone}))
    at_rest = yard.live
    for _ in range(FRAMES):
        yard.live = at_rest
        yield lambda: yard.decide(payload)
    assert yard.live.sessions["s-o0"].end is End.UNPLUGGED


def measure() -> list[Figure]:
    """Measure frames of a 50-outlet site (nothing new, loads that wander, a decision) and what a day's frames write."""
    return [
        Figure("cpu_unchanged_frame_50_outlets", round(cpu_ms(unchanged()), 2), "ms", GOAL),
        Figure("cpu_changed_frame_50_outlets", round(cpu_ms(changed()), 2), "ms", GOAL),
        Figure("cpu_deciding_frame_50_outlets", round(cpu_ms(deciding()), 2), "ms", GOAL),
        *trondheim_writes(),
    ]
