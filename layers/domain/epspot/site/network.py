"""A site's fuse tree, made ready for adding up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from epspot.site.parts import PHASES, Fuse, Outlet


@dataclass(frozen=True, slots=True)
class Network:
    """A fuse tree made ready: every fuse-phase is a number, every outlet a path of them up to the root."""

    names: tuple[str, ...]
    """``<fuse>/<phase>`` of each fuse-phase."""
    planning_a: tuple[float, ...]
    paths: Mapping[str, tuple[int, ...]]
    fuses: Mapping[str, tuple[int, ...]]
    """Of each outlet the fuses above it that limit their number of sessions."""
    fuse_names: tuple[str, ...]
    max_sessions: tuple[int | None, ...]

    @classmethod
    def of(cls, fuses: Sequence[Fuse], outlets: Iterable[Outlet]) -> "Network":
        """Build the network of a checked site."""
        number = {f.id: i for i, f in enumerate(fuses)}
        above: list[tuple[int, ...]] = [()] * len(fuses)
        for i, f in enumerate(fuses):
            chain, at = [i], f.parent
            while at is not None:
                chain.append(number[at])
                at = fuses[number[at]].parent
            above[i] = tuple(chain)
        limited = [tuple(i for i in chain if fuses[i].max_sessions is not None) for chain in above]
        paths: dict[tuple[str, tuple[int, ...]], tuple[int, ...]] = {}
        of_outlet, counted = {}, {}
        for o in outlets:
            key = (o.fuse, o.phases)
            if key not in paths:
                paths[key] = tuple(i * 3 + p for i in above[number[o.fuse]] for p in o.phases)
            of_outlet[o.id] = paths[key]
            counted[o.id] = limited[number[o.fuse]]
        return cls(
            names=tuple(f"{f.id}/{p}" for f in fuses for p in PHASES),
            planning_a=tuple(a for f in fuses for a in f.planning_a),
            paths=of_outlet,
            fuses=counted,
            fuse_names=tuple(f.id for f in fuses),
            max_sessions=tuple(f.max_sessions for f in fuses),
        )

    def load(self, drawn_a: Iterable[tuple[str, float]], other_a: Sequence[float] | None = None) -> list[float]:
        """Add up what each fuse-phase carries when the outlets draw this much beside the other load."""
        load = [0.0] * len(self.names) if other_a is None else list(other_a)
        for outlet, a in drawn_a:
            if a:
                for c in self.paths[outlet]:
                    load[c] += a
        return load

    def sessions(self, outlets: Iterable[str]) -> list[int]:
        """Count the outlets under each fuse that limits them."""
        counts = [0] * len(self.fuse_names)
        for o in outlets:
            for f in self.fuses[o]:
                counts[f] += 1
        return counts
