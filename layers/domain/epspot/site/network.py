"""A site's fuse tree, made ready for adding up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from epspot.site.parts import PHASES, Fuse, Outlet
from epspot.site.rules import Cap

IMBALANCE = "imbalance"


@dataclass(frozen=True, slots=True)
class Network:
    """A fuse tree made ready: every line that can be full is a number, every outlet a path of them up to the root.

    The first lines are the fuse-phases. Caps follow with lines of their own, which are without limit until ``limited``
    says otherwise: one for each phase, or for a power a single one that an outlet's every conductor adds to.
    """

    names: tuple[str, ...]
    """``<fuse>/<phase>`` of each fuse-phase, ``cap:<name>`` of each line of a cap."""
    planning_a: tuple[float, ...]
    paths: Mapping[str, tuple[int, ...]]
    """As many lines for each conductor of the outlet, conductor by conductor within each fuse and cap."""
    fuses: Mapping[str, tuple[int, ...]]
    """Of each outlet the fuses above it that limit their number of sessions."""
    fuse_names: tuple[str, ...]
    max_sessions: tuple[int | None, ...]
    parents: tuple[int | None, ...] = ()
    """Of each fuse the number of the one above."""
    chains: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of each outlet the fuses above it, from its own to the main one."""
    caps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The lines of each cap by its name."""
    sums: bool = False
    """A path may hold a line more than once."""

    @classmethod
    def of(
        cls, fuses: Sequence[Fuse], outlets: Iterable[Outlet], caps: Sequence[Cap] = (), *, balanced: bool = False
    ) -> "Network":
        """Build the network of a checked site; ``balanced``: the difference between its phases has lines too."""
        number = {f.id: i for i, f in enumerate(fuses)}
        parents = tuple(None if f.parent is None else number[f.parent] for f in fuses)
        chains = _chains(parents)
        limited = [tuple(i for i in chain if fuses[i].max_sessions is not None) for chain in chains]
        lines = _Lines(len(fuses) * len(PHASES))
        root = parents.index(None) if None in parents else 0
        extra = [(root if c.fuse is None else number[c.fuse], lines.add(c.name, sums=c.peak is not None)) for c in caps]
        if balanced:
            extra.append((root, lines.add(IMBALANCE, sums=False)))
        paths: dict[tuple[str, tuple[int, ...]], tuple[int, ...]] = {}
        of_outlet, counted, above = {}, {}, {}
        for o in outlets:
            key = (o.fuse, o.phases)
            chain = chains[number[o.fuse]]
            if key not in paths:
                own = [i * len(PHASES) + p for i in chain for p in o.phases]
                own += [own_lines[p % len(own_lines)] for at, own_lines in extra if at in chain for p in o.phases]
                paths[key] = tuple(own)
            of_outlet[o.id] = paths[key]
            counted[o.id] = limited[number[o.fuse]]
            above[o.id] = chain
        return cls(
            names=(*(f"{f.id}/{p}" for f in fuses for p in PHASES), *lines.names),
            planning_a=(*(a for f in fuses for a in f.planning_a), *[inf] * len(lines.names)),
            paths=of_outlet,
            fuses=counted,
            fuse_names=tuple(f.id for f in fuses),
            max_sessions=tuple(f.max_sessions for f in fuses),
            parents=parents,
            chains=above,
            caps=lines.caps,
            sums=any(c.peak is not None for c in caps),
        )

    def limited(self, limits_a: Mapping[int, float]) -> "Network":
        """Return the same network with other limits on some of its lines."""
        if not limits_a:
            return self
        planning = list(self.planning_a)
        for line, a in limits_a.items():
            planning[line] = min(planning[line], a)
        return replace(self, planning_a=tuple(planning))

    def path(self, outlet: Outlet, conductors: Sequence[int] | None) -> tuple[int, ...]:
        """List the lines that some of an outlet's conductors load; None: all of them."""
        whole = self.paths[outlet.id]
        if conductors is None:
            return whole
        width = len(outlet.phases)
        return tuple(line for i, line in enumerate(whole) if i % width in conductors)

    def load(self, drawn_a: Iterable[tuple[str, float]], other_a: Sequence[float] | None = None) -> list[float]:
        """Add up what each line carries when the outlets draw this much beside the other load."""
        return self.load_on(((self.paths[o], a) for o, a in drawn_a if a), other_a)

    def load_on(
        self, drawn_a: Iterable[tuple[Sequence[int], float]], other_a: Sequence[float] | None = None
    ) -> list[float]:
        """Add up what each line carries when this much is drawn along these paths beside the other load."""
        load = [0.0] * len(self.names)
        if other_a is not None:
            load[: len(other_a)] = other_a
        for path, a in drawn_a:
            for c in path:
                load[c] += a
        return load

    def sessions(self, outlets: Iterable[str]) -> list[int]:
        """Count the outlets under each fuse that limits them."""
        counts = [0] * len(self.fuse_names)
        for o in outlets:
            for f in self.fuses[o]:
                counts[f] += 1
        return counts


def _chains(parents: Sequence[int | None]) -> list[tuple[int, ...]]:
    chains = []
    for i in range(len(parents)):
        chain, at = [i], parents[i]
        while at is not None:
            chain.append(at)
            at = parents[at]
        chains.append(tuple(chain))
    return chains


class _Lines:
    """The lines of caps, numbered on from those of the fuses."""

    def __init__(self, first: int) -> None:
        self._next = first
        self.names: list[str] = []
        self.caps: dict[str, tuple[int, ...]] = {}

    def add(self, name: str, *, sums: bool) -> tuple[int, ...]:
        count = 1 if sums else len(PHASES)
        self.caps[name] = tuple(range(self._next, self._next + count))
        self.names += [f"cap:{name}"] * count
        self._next += count
        return self.caps[name]
