"""``python -m tests.simulation --seed 1 --days 1 --faults heavy`` prints one JSON object; exit code 1 on a violation."""

import argparse
import json
import sys
from time import monotonic

from tests.simulation.faults import LEVELS
from tests.simulation.run import MOST_DAYS, lives, simulate, simulate_many


def main() -> int:
    """Let one world live from a seed, or as many as the days take."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description="Sites in simulated time, from a seed.")
    parser.add_argument("--seed", type=int, default=1)
    more = f"days that each site lives; more than {MOST_DAYS} are divided into worlds from this seed on"
    parser.add_argument("--days", type=float, default=1.0, help=more)
    parser.add_argument("--sites", type=int, default=1, help="as many times these days")
    parser.add_argument("--faults", choices=LEVELS, default="heavy")
    args = parser.parse_args()
    begun = monotonic()
    worlds = lives(args.seed, args.sites, args.days, args.faults)
    report = simulate(args.seed, args.days, args.faults) if len(worlds) == 1 else simulate_many(worlds, _tell)
    wall_s = monotonic() - begun
    report |= {"wall_s": round(wall_s, 1), "site_days_per_minute": round(report["site_days"] * 60 / wall_s, 1)}
    print(json.dumps(report, indent=1))
    return 1 if any(report["invariants"].values()) else 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
