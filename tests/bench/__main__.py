"""``python -m tests.bench [AREA …]``: measure, print a table, write build/bench/<area>.json."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from tests.bench.figures import Figure, write


def _area(module: str) -> Callable[[], Sequence[Figure]]:
    """Load an area when it is measured, so that what one needs is no burden to another."""

    def measure() -> Sequence[Figure]:
        figures: Sequence[Figure] = import_module(f"tests.bench.{module}").measure()
        return figures

    return measure


AREAS: dict[str, Callable[[], Sequence[Figure]]] = {
    "allocation": _area("allocation"),
    "control": _area("control"),
    "delivery": _area("delivery"),
    "simulation": _area("simulation"),
    "startup": _area("startup"),
    "latency": _area("latency"),
    "cost": _area("cost"),
    "api": _area("api"),
}


def main(argv: list[str] | None = None) -> int:
    """Measure the named areas, or all; return 0 whatever the figures say, since a figure is no test."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"{', '.join(AREAS)}; all if none is named")
    areas = parser.parse_args(argv).areas or list(AREAS)
    if unknown := [a for a in areas if a not in AREAS]:
        parser.error(f"there is no area {', '.join(unknown)}; there are {', '.join(AREAS)}")
    for area in areas:
        figures = AREAS[area]()
        print(f"{area}  ({write(area, figures).name})")
        for f in figures:
            met = {None: "", True: "met", False: "NOT MET"}[f.met]
            print(f"  {f.name:<38} {f.value:>10g} {f.unit:<6} {f.goal or '':<9} {met}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
