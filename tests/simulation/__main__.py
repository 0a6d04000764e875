"""``python -m tests.simulation --seed 1 --days 1 --faults heavy`` prints one JSON object; exit code 1 on a violation."""

import argparse
import json
import sys

from tests.simulation.faults import LEVELS
from tests.simulation.world import simulate, simulate_many


def main() -> int:
    """Run one site from a seed, or several."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description="One site in simulated time, from a seed.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--sites", type=int, default=1, help="sites, from this seed on; each lives these days")
    parser.add_argument("--faults", choices=LEVELS, default="heavy")
    args = parser.parse_args()
    if args.sites == 1:
        report = simulate(args.seed, args.days, args.faults)
    else:
        report = simulate_many(args.seed, args.sites, args.days, args.faults)
    print(json.dumps(report, indent=1))
    return 1 if any(report["invariants"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
