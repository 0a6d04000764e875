"""``python -m epspot.control SCENARIO.json [--repeat N]``: solve one allocation problem, print the solution."""

import argparse
import json
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from epspot.control import scenario, scenario_json
from epspot.errors import Refusal


def main(argv: list[str] | None = None) -> int:
    """Print the solution as JSON; on a bad scenario say what is wrong on stderr and return 2."""
    parser = argparse.ArgumentParser(prog="python -m epspot.control", description=__doc__)
    parser.add_argument("scenario", help="a file with the problem as JSON; - reads standard input")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="solve it N times; median_ms is the median")
    args = parser.parse_args(argv)
    if args.repeat < 1:
        parser.error("--repeat must be at least 1")
    try:
        text = sys.stdin.read() if args.scenario == "-" else Path(args.scenario).read_text("utf-8")
        problem = scenario_json.read(json.loads(text))
    except (OSError, ValueError, RecursionError, Refusal) as error:
        print(f"{args.scenario}: {error}", file=sys.stderr)
        return 2
    times_ms = []
    for _ in range(args.repeat):
        start = perf_counter()
        solution = scenario.solve(problem)
        times_ms.append((perf_counter() - start) * 1000)
    print(json.dumps(solution._asdict() | {"median_ms": round(median(times_ms), 3)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
