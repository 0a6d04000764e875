"""A small site as a state machine: everything that can happen to it next.

Two bridges and three outlets hang on one fuse of 16 A. The cloud is the real use case on the ports in memory, the
bridge is its real ``Lease`` on its own clock, which may run slow, with modules that obey a command at once, but take
their time when a lease ends. Time passes in ticks of a quarter lease, or to the brink: the last moment at which some
bridge still lets flow what its lease allowed. Messages are delivered, doubled, delayed or lost in any order, bridges
reboot, Lambdas die before they publish.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from epspot.control.effects import SendCommand
from epspot.control.events import Event, FrameReceived, StartRequested, StopRequested, Ticked
from epspot.control.state import Live, Phase, Plug, Reading
from epspot.errors import Refusal
from epspot.services.advance import Controller, advance
from epspot.services.register_site import register_site
from epspot.site import Fuse, Outlet, Policy, Site
from iot import contract
from iot.bridge.lease import Lease
from tests.fakes import FakeClock, FakeCommands, FakeLives

TICK_S = 60
LEASE_S = 4 * TICK_S
FRAME_S = 60.0
COMPLY_S = 6.0
"""The bridge opens the relay of a load that has not obeyed for this long."""
BRINK_S = 0.05
"""How long before its end a lease is on the brink."""
RIGHT, SLOW, TOO_SLOW = 1.0, 1 - 0.019, 1 - 0.03
"""Clocks, as seconds that they count in a second: CLOCK_FACTOR covers 2 %."""
PLANNING_A = 16.0
MOST_UP, MOST_DOWN, MOST_BOOTS = 2, 2, 2
_NEVER_S = 10**9
_BEGIN = float(_NEVER_S)
_SLACK_A = 1e-6

SITE = Site(
    "s",
    "s",
    (Fuse("main", None, (PLANNING_A,) * 3, planning_factor=1.0),),
    (
        Outlet("o1", "1", "main", (0,), 16.0, "b1", "M1", fallback_a=6.0),
        Outlet("o2", "2", "main", (0,), 16.0, "b1", "M2"),
        Outlet("o3", "3", "main", (0,), 16.0, "b2", "M3"),
    ),
    Policy(
        turn_s=_NEVER_S,
        standby_s=_NEVER_S,
        plug_wait_s=_NEVER_S,
        lease_s=LEASE_S,
        interval_s=TICK_S,
        fast_interval_s=TICK_S,
    ),
).checked()
BRIDGES = tuple(SITE.of_bridge)
_OUTLETS = {b: tuple(own.values()) for b, own in SITE.of_bridge.items()}

Limits: TypeAlias = tuple[float, ...]


class Up(NamedTuple):
    """A frame under way."""

    bridge: int
    boot: int
    seq: int
    rev: int
    limits: Limits
    draws: bool
    sent_at: float


class Down(NamedTuple):
    """A command under way."""

    bridge: int
    boot: int
    seq: int
    rev: int
    limits: Limits


class Box(NamedTuple):
    """A bridge: what its lease remembers, by its own clock, and what its modules may draw."""

    boot: int = 1
    seq: int = 0
    sent: tuple[tuple[int, float], ...] = ()
    command: Down | None = None
    answered_at: float = 0.0
    limits: Limits = ()


class State(NamedTuple):
    """Everything that there is at one moment."""

    now: float
    live: Live
    boxes: tuple[Box, ...]
    clocks: tuple[float, ...]
    up: tuple[Up, ...] = ()
    down: tuple[Down, ...] = ()


Next: TypeAlias = tuple[str, State]


def cold(clock: float = SLOW) -> State:
    """Make the first state: nobody has been heard of; the clock of the first bridge is given, the other's is right."""
    lives = FakeLives()
    register_site(lives, FakeClock(_BEGIN), SITE)
    boxes = tuple(Box(limits=(0.0,) * len(_OUTLETS[b])) for b in BRIDGES)
    return State(_BEGIN, lives.load(SITE.id)[1], boxes, (clock, RIGHT))


def after(state: State, labels: Iterable[str]) -> State:
    """Let named things happen, one after another."""
    for label in labels:
        state = dict(successors(state))[label]
    return state


def charging(*outlets: str, clock: float = SLOW) -> State:
    """Make a state in which some, else o1 and o3, share the fuse, and nothing is under way."""
    state = _settled(cold(clock))
    for outlet in outlets or ("o1", "o3"):
        state = _settled(_arrived(after(state, [f"start {outlet}"])))
    return state


def expiring(clock: float = SLOW) -> State:
    """Make a state in which o1 and o3 share the fuse and no lease was renewed: one is on the brink, the other soon."""
    return after(charging(clock=clock), ["brink"])


def _settled(state: State) -> State:
    """Let everything arrive, and every bridge tell what it does until there is no more to say."""
    for b in (0, 1, 0, 1, 0, 1):
        state = _arrived(after(state, [f"frame {b}", "deliver up 0"]))
    return state


def _arrived(state: State) -> State:
    while state.down:
        state = after(state, ["command 0"])
    return state


# -------------------------------------------------------------- what can happen


def successors(state: State) -> Iterator[Next]:
    """List everything that can happen next."""
    yield "tick", _at(state, state.now + TICK_S)
    ends = (_end(state, b) - BRINK_S for b, box in enumerate(state.boxes) if box.command is not None)
    if brinks := [at for at in ends if at > state.now + BRINK_S / 2]:
        yield "brink", _at(state, min(brinks))
    yield from _cloud("clock", state, Ticked(state.now))
    for b, box in enumerate(state.boxes):
        if len(state.up) < MOST_UP:
            yield f"frame {b}", _frame(state, b, draws=True)
            yield f"idle frame {b}", _frame(state, b, draws=False)
        if box.boot < MOST_BOOTS:
            anew = Box(box.boot + 1, limits=box.limits)
            yield f"reboot {b}", _with_box(state, b, _obey(anew, b, _local(state, b)))
    for i, message in enumerate(state.up):
        without = state._replace(up=_without(state.up, i))
        yield f"lose up {i}", without
        yield from _cloud(f"deliver up {i}", without, _frame_event(message, state.now))
        yield from _cloud(f"double up {i}", state, _frame_event(message, state.now), crash=False)
    for i, command in enumerate(state.down):
        without = state._replace(down=_without(state.down, i))
        yield f"lose down {i}", without
        yield f"command {i}", _hear(without, command)
        yield f"double command {i}", _hear(state, command)
    for o in SITE.outlets:
        session = state.live.session_at(o.id)
        if session is None:
            yield from _cloud(f"start {o.id}", state, StartRequested(state.now, f"s-{o.id}", o.id))
        elif session.phase is not Phase.STOPPING:
            yield from _cloud(f"stop {o.id}", state, StopRequested(state.now, session.id))


def _at(state: State, now: float) -> State:
    up = tuple(m for m in state.up if now - m.sent_at <= FRAME_S)
    state = state._replace(now=now, up=up)
    return state._replace(boxes=tuple(_obey(box, b, _local(state, b)) for b, box in enumerate(state.boxes)))


def _local(state: State, b: int) -> float:
    """Tell the time by the clock of a bridge."""
    return (state.now - _BEGIN) * state.clocks[b]


def _end(state: State, b: int) -> float:
    """Tell when a bridge has let its outlets fall if it hears nothing more."""
    return _BEGIN + (state.boxes[b].answered_at + LEASE_S + COMPLY_S) / state.clocks[b]


def _frame(state: State, b: int, *, draws: bool) -> State:
    box = state.boxes[b]
    now = _local(state, b)
    seq = _lease(box).number(now)
    rev = 0 if box.command is None else box.command.rev
    up = (*state.up, Up(b, box.boot, seq, rev, box.limits, draws, state.now))
    sent = tuple((s, at) for s, at in (*box.sent, (seq, now)) if now - at < LEASE_S)
    return _with_box(state._replace(up=up), b, box._replace(seq=seq, sent=sent))


def _hear(state: State, command: Down) -> State:
    box = state.boxes[command.bridge]
    lease = _lease(box)
    message, now = _command(command), _local(state, command.bridge)
    if lease.refusal(now, message) is not None:
        return state
    lease.take(message)
    box = box._replace(command=command, answered_at=dict(box.sent)[command.seq])
    return _with_box(state, command.bridge, _obey(box, command.bridge, now))


def _obey(box: Box, b: int, now: float) -> Box:
    """Let the modules do what the bridge's rules say (``Bridge._target``), as late as they may when a lease ends."""
    left_s = _lease(box).remaining_s(now - COMPLY_S)
    falls = tuple(o.fallback_a for o in _OUTLETS[BRIDGES[b]])
    told = box.limits if box.command is None else box.command.limits
    holds = box.command is not None and left_s > 0
    return box._replace(limits=told if holds else tuple(map(min, told, falls)))


def _lease(box: Box) -> Lease:
    lease = Lease(_boot(box.boot))
    lease.seq, lease._sent_at = box.seq, dict(box.sent)
    if box.command is not None:
        lease.command, lease.answered, lease._answered_at = _command(box.command), box.command.seq, box.answered_at
    return lease


def _command(down: Down) -> contract.Command:
    settings = {
        o.module: contract.Setting(a, relay=a > 0, max_a=o.max_a, fallback_a=o.fallback_a)
        for o, a in zip(_OUTLETS[BRIDGES[down.bridge]], down.limits, strict=True)
    }
    return contract.Command(down.rev, _boot(down.boot), down.seq, LEASE_S, TICK_S, settings)


def _boot(number: int) -> str:
    return f"{number:08x}"


def _cloud(label: str, state: State, event: Event, *, crash: bool = True) -> Iterator[Next]:
    """Let the cloud take an event; if it has commands to send, it may also die before it does."""
    lives, commands = FakeLives(), FakeCommands()
    lives.create(SITE, state.live)
    try:
        advance(Controller(lives, commands), SITE.id, event)
    except Refusal:
        return
    after = state._replace(live=lives.load(SITE.id)[1])
    if commands.sent and crash:
        yield f"{label}, crash", after
    # Of more than can be under way the oldest are lost.
    yield label, after._replace(down=(*after.down, *map(_down, commands.sent))[-MOST_DOWN:])


def _down(c: SendCommand) -> Down:
    limits = tuple(c.modules[o.module].limit_a for o in _OUTLETS[c.bridge])
    return Down(BRIDGES.index(c.bridge), int(c.boot, 16), c.seq, c.rev, limits)


def _frame_event(m: Up, now: float) -> FrameReceived:
    own = _OUTLETS[BRIDGES[m.bridge]]
    modules = {o.module: _reading(a, draws=m.draws) for o, a in zip(own, m.limits, strict=True)}
    return FrameReceived(now, BRIDGES[m.bridge], _boot(m.boot), m.seq, m.seq, m.rev, modules)


def _reading(limit_a: float, *, draws: bool) -> Reading:
    current = (limit_a if draws else 0.0, 0.0, 0.0)
    return Reading(Plug.ASKING, limit_a > 0, current, (230.0, 0.0, 0.0), 0.0, 1000, 20.0, limit_a, 0, 90)


def _with_box(state: State, b: int, box: Box) -> State:
    return state._replace(boxes=(*state.boxes[:b], box, *state.boxes[b + 1 :]))


def _without(messages: tuple[Any, ...], i: int) -> tuple[Any, ...]:
    return messages[:i] + messages[i + 1 :]


# -------------------------------------------------------------- what must hold


def broken(state: State) -> str | None:
    """Say what is broken: the fuse may carry too much, or a lease has outlived the cloud's count."""
    may = {
        o.id: a
        for b, box in zip(BRIDGES, state.boxes, strict=True)
        for o, a in zip(_OUTLETS[b], box.limits, strict=True)
    }
    if sum(may.values()) > PLANNING_A + _SLACK_A:
        return f"the fuse may carry {sum(may.values()):.2f} A of {PLANNING_A:g} A: {may}"
    for o, a in may.items():
        if a > state.live.outlets[o].counted_a + _SLACK_A:
            return f"{o} may draw {a:.2f} A, the cloud counts {state.live.outlets[o].counted_a:.2f} A"
    return None


def key(state: State) -> tuple[Any, ...]:
    """Name a state up to what makes no difference: absolute time, and numbers of which only the order matters."""
    live = state.live

    def since(at: float, now: float = state.now) -> float:
        return round(at - now, 3)

    rank = [_ranks(state, b) for b in range(len(BRIDGES))]
    return (
        tuple(
            (
                s.limit_a,
                rank[BRIDGES.index(SITE.outlet[o].bridge)][0](s.since_rev),
                s.held_a,
                s.held_a and since(s.held_until),
            )
            for o, s in live.outlets.items()
        ),
        tuple(
            (
                bridge.boot,
                bridge.earlier,
                max(since(bridge.epoch_at), -4 * TICK_S),
                rank[b][0](bridge.rev),
                max(since(bridge.lease_until), -2 * LEASE_S),
                rank[b][1](bridge.answered),
                bridge.interval_s,
                bridge.silent,
            )
            for b, bridge in enumerate(live.bridges.values())
        ),
        tuple(
            (
                s.id,
                s.phase,
                since(s.since),
                s.waiting_since and since(s.waiting_since),
                s.on_since and since(s.on_since),
                s.stopping_since and since(s.stopping_since),
                s.served_s,
            )
            for s in live.sessions.values()
        ),
        tuple(
            (r.boot, rank[BRIDGES.index(b)][1](r.seq), since(r.at), r.base == r.seq, *r.modules.values())
            for b, r in sorted(live.readings.items())
        ),
        tuple(
            (
                box.boot,
                rank[b][1](box.seq),
                tuple((rank[b][1](s), since(at, _local(state, b))) for s, at in box.sent if rank[b][1](s) is not None),
                box.command
                and (*box.command[:2], rank[b][1](box.command.seq), rank[b][0](box.command.rev), box.command.limits),
                box.command and max(since(box.answered_at, _local(state, b)), -LEASE_S - COMPLY_S),
                box.limits,
            )
            for b, box in enumerate(state.boxes)
        ),
        tuple(
            sorted(
                (*m[:2], rank[m.bridge][1](m.seq), rank[m.bridge][0](m.rev), *m[4:6], since(m.sent_at))
                for m in state.up
            )
        ),
        tuple(sorted((*m[:2], rank[m.bridge][1](m.seq), rank[m.bridge][0](m.rev), m.limits) for m in state.down)),
    )


def _ranks(state: State, b: int) -> tuple[Callable[[int], int | None], Callable[[int], int | None]]:
    """Rank the revisions and the messages of a bridge that still play a part; None: it plays none."""
    live, box, name = state.live, state.boxes[b], BRIDGES[b]
    messages: list[Up | Down] = [m for m in state.up + state.down if m.bridge == b]
    if box.command is not None:
        messages.append(box.command)
    revs = {0, live.bridges[name].rev, *(live.outlets[o.id].since_rev for o in _OUTLETS[name])}
    seqs = {0, live.bridges[name].answered, box.seq}
    if name in live.readings:
        seqs |= {live.readings[name].seq, live.readings[name].base}
    revs |= {m.rev for m in messages}
    seqs |= {m.seq for m in messages}
    one, two = ({n: i for i, n in enumerate(sorted(numbers))} for numbers in (revs, seqs))
    return one.get, two.get
