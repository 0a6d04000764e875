"""What modules that do not answer tell together: a breaker, a fuse, a phase, a feeder, or a link.

The cause that explains most is named once, and what it explains is not named again. Everything is judged against what
does answer; a bridge that is itself not heard tells nothing of its modules.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from epspot.control.draft import Draft
from epspot.control.finding import Finding
from epspot.control.state import Reading
from epspot.notices.alarms import Certainty
from epspot.site import PHASES, Outlet

DEAD_V = 100.0
"""A conductor below this has no voltage; what is left is induced by its neighbours."""

OFF_A = 0.5
POOR_LINK_PCT = 25
_TOGETHER_INTERVALS = 15
"""Silences this near each other may have one cause: unchanged frames, nine in ten, are not written down."""

_ENOUGH = 2
"""One module that is silent, or one dead conductor, has its own cause more often than a common one."""

Dead: TypeAlias = tuple[str, int]
"""An outlet's conductor without voltage: the outlet and the phase."""

_Line: TypeAlias = tuple[int, int]
"""A fuse by its number and a phase."""


def explain(draft: Draft, lost: Iterable[Outlet], never: Iterable[Outlet]) -> tuple[list[Finding], set[Dead]]:
    """Name the causes of silence and of dead conductors, and the dead conductors that a lost phase explains.

    ``lost``: outlets whose modules have answered and do not answer now; ``never``: those that never have.
    """
    silence = _Silence(draft, lost, never)
    found = [
        *silence.phases_without_voltage(),
        *silence.fuses_out(),
        *silence.phases_all_silent(),
        *silence.bridges_hearing_nobody(),
        *silence.single_modules(),
    ]
    return found, silence.explained


def answering(draft: Draft) -> Iterator[tuple[Outlet, Reading]]:
    """List the outlets whose modules are known to answer, with what they read."""
    return ((o, r) for o, r in draft.known_readings() if not draft.bridges[o.bridge].silent)


def live_phases(outlet: Outlet, reading: Reading) -> tuple[int, ...]:
    """Tell which phases a module that answers shows to have voltage; one with a single conductor is fed by it."""
    if len(outlet.phases) == 1 or min(reading.voltage_v) >= DEAD_V:
        return outlet.phases
    return tuple(p for p, v in zip(outlet.phases, reading.voltage_v, strict=True) if v >= DEAD_V)


class _Silence:
    """Silent modules, of which one cause after another takes those that it explains."""

    def __init__(self, draft: Draft, lost: Iterable[Outlet], never: Iterable[Outlet]) -> None:
        self._draft = draft
        self._chains = draft.network.chains
        self._left = {o.id: o for o in lost}
        self._never = {o.id: o for o in never}
        self._since = {o: draft.read_at(outlet) for o, outlet in self._left.items()}
        self._together_s = _TOGETHER_INTERVALS * draft.site.policy.interval_s
        self._hearing: set[str] = set()
        """Bridges that hear at least one module."""
        self._live_fuses: set[int] = set()
        self._live_lines: set[_Line] = set()
        self._dead_lines: Counter[_Line] = Counter()
        self._dead: list[tuple[Outlet, list[int]]] = []
        self.explained: set[Dead] = set()
        self._listen()

    def _listen(self) -> None:
        """Note which bridges, fuses and phases are seen to be alive."""
        fed: dict[tuple[str, tuple[int, ...]], Outlet] = {}
        for o, r in answering(self._draft):
            alive = live_phases(o, r)
            self._hearing.add(o.bridge)
            fed[o.fuse, alive] = o
            if alive and alive != o.phases:
                self._dead.append((o, [p for p in o.phases if p not in alive]))
        for (_, alive), o in fed.items():
            self._live_fuses.update(self._chains[o.id])
            self._live_lines.update((f, p) for f in self._chains[o.id] for p in alive)
        self._dead_lines.update((f, p) for o, phases in self._dead for f in self._chains[o.id] for p in phases)

    # ---------------------------------------------------------------- causes

    def phases_without_voltage(self) -> Iterator[Finding]:
        """Name a phase on which every conductor below a fuse that is read is dead, while others of its modules are not."""
        lines = self._highest({line for line in self._dead_lines if line not in self._live_lines})
        silent = Counter(line for o in self._left.values() if len(o.phases) == 1 for line in self._lines(o))
        for f, phases in sorted(_by_fuse(lines).items()):
            dead = min(self._dead_lines[f, p] for p in phases)
            if dead >= _ENOUGH:
                sure = Certainty.CERTAIN
            elif dead + min(silent[f, p] for p in phases) >= _ENOUGH:
                sure = Certainty.PROBABLE
            else:
                sure = Certainty.POSSIBLE
            below = self._wired_below(f, phases)
            yield self._lost_phases(f, phases, sure, self._together(below))

    def fuses_out(self) -> Iterator[Finding]:
        """Name a fuse of which no module answers and at least two fell silent together, while their bridge hears others."""
        gone: dict[int, list[Outlet]] = {}
        for o in self._left.values():
            for f in self._chains[o.id]:
                if f not in self._live_fuses:
                    gone.setdefault(f, []).append(o)
        fell = {f: self._together(outlets) for f, outlets in gone.items()}
        for f in sorted(fell, key=lambda f: (self._depth(f, gone[f][0]), f)):
            outlets = [o for o in fell[f] if o.id in self._left]
            if self._is_evidence(outlets):
                sure = Certainty.POSSIBLE if self._is_partly_unknown(f) else Certainty.PROBABLE
                name = self._draft.network.fuse_names[f]
                yield Finding("fuse_out", name, {"certainty": sure.value, "modules": len(outlets)})
                self._take(outlets)

    def phases_all_silent(self) -> Iterator[Finding]:
        """Name a phase whose single-phase modules below a fuse are all silent and fell so together, while others answer."""
        gone: dict[_Line, list[Outlet]] = {}
        for o in self._left.values():
            if len(o.phases) == 1:
                for line in self._lines(o):
                    if line not in self._live_lines:
                        gone.setdefault(line, []).append(o)
        fell = {line: self._together(outlets) for line, outlets in gone.items()}
        lines = {line for line, outlets in fell.items() if self._is_evidence(outlets)}
        for f, phases in sorted(_by_fuse(self._highest(lines)).items()):
            at = max(self._since[o.id] for p in phases for o in fell[f, p])
            yield self._lost_phases(f, phases, Certainty.PROBABLE, self._near(self._wired_below(f, phases), at))

    def bridges_hearing_nobody(self) -> Iterator[Finding]:
        """Name a bridge that is heard and hears none of its modules."""
        silent = [*self._left.values(), *self._never.values()]
        for b in sorted({o.bridge for o in silent} - self._hearing):
            own = self._draft.site.of_bridge[b].values()
            if len(own) < _ENOUGH:
                continue
            if any(o.id in self._left for o in own):
                yield Finding("modules_silent", b, {"certainty": Certainty.PROBABLE.value, "modules": len(own)})
            elif all(o.id in self._never for o in own):
                yield Finding("modules_never_heard", b, {"modules": len(own)})
            self._take(own)

    def single_modules(self) -> Iterator[Finding]:
        """Name the likely cause of each silence that nothing common explains."""
        yield from (self._single(o) for o in self._left.values())
        yield from (Finding("outlet_never_heard", o.id, {"module": o.module}) for o in self._never.values())

    def _single(self, outlet: Outlet) -> Finding:
        last = self._draft.last(outlet)
        has_neighbours = outlet.bridge in self._hearing
        if last is not None and last.link_pct < POOR_LINK_PCT:
            return Finding("link_poor", outlet.id, {"certainty": Certainty.PROBABLE.value, "link_pct": last.link_pct})
        if last is not None and has_neighbours and max(last.current_a) > OFF_A:
            return Finding("rcbo_tripped", outlet.id)
        sure = Certainty.PROBABLE if has_neighbours else Certainty.POSSIBLE
        return Finding("rcbo_or_module", outlet.id, {"certainty": sure.value})

    # ---------------------------------------------------------------- helpers

    def _lines(self, outlet: Outlet) -> Iterator[_Line]:
        return ((f, p) for f in self._chains[outlet.id] for p in outlet.phases)

    def _highest(self, lines: set[_Line]) -> set[_Line]:
        """Keep of each phase the fuses nearest to the grid."""
        parents = self._draft.network.parents
        return {(f, p) for f, p in lines if (parents[f], p) not in lines}

    def _wired_below(self, fuse: int, phases: Sequence[int]) -> list[Outlet]:
        """List the silent modules below a fuse that some phases may have fed: any that is wired to one."""
        return [o for o in self._left.values() if fuse in self._chains[o.id] and not {*phases}.isdisjoint(o.phases)]

    def _lost_phases(self, fuse: int, phases: Sequence[int], sure: Certainty, silent: Sequence[Outlet]) -> Finding:
        """Name lost phases, and take the silent modules and the dead conductors that they explain."""
        self._take(silent)
        dead = [(o.id, own) for o, own in self._dead if fuse in self._chains[o.id]]
        self.explained.update((o, p) for o, own in dead for p in own if p in phases)
        name = self._draft.network.fuse_names[fuse]
        return Finding("phase_lost", name, {"certainty": sure.value, "phases": [PHASES[p] for p in phases]})

    def _together(self, outlets: Sequence[Outlet]) -> list[Outlet]:
        """Keep those that fell silent at the time of the last: who was silent long before has another cause."""
        return self._near(outlets, max((self._since[o.id] for o in outlets), default=0.0))

    def _near(self, outlets: Sequence[Outlet], at: float) -> list[Outlet]:
        return [o for o in outlets if abs(self._since[o.id] - at) <= self._together_s]

    def _is_evidence(self, outlets: Sequence[Outlet]) -> bool:
        return len(outlets) >= _ENOUGH and any(o.bridge in self._hearing for o in outlets)

    def _is_partly_unknown(self, fuse: int) -> bool:
        """Tell whether a bridge that is not heard has modules below a fuse."""
        bridges = {o.bridge for o in self._draft.site.outlets if fuse in self._chains[o.id]}
        return any(self._draft.bridges[b].silent or b not in self._draft.readings for b in bridges)

    def _depth(self, fuse: int, outlet: Outlet) -> int:
        """Tell how far a fuse above an outlet is from the grid."""
        chain = self._chains[outlet.id]
        return len(chain) - chain.index(fuse)

    def _take(self, outlets: Iterable[Outlet]) -> None:
        for o in outlets:
            self._left.pop(o.id, None)
            self._never.pop(o.id, None)


def _by_fuse(lines: Iterable[_Line]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for f, p in sorted(lines):
        found.setdefault(f, []).append(p)
    return found
