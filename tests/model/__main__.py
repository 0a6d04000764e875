"""``python -m tests.model --depth 7`` searches and prints one JSON object; exit code 1 if something is broken."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

from tests.model.lease import SLOW, State, charging, cold, expiring
from tests.model.search import search

_STARTS: dict[str, Callable[..., State]] = {"cold": cold, "charging": charging, "expiring": expiring}


def main() -> int:
    """Search from each first state."""
    parser = argparse.ArgumentParser(prog="tests.model", description="The lease protocol, exhaustively.")
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--start", choices=_STARTS, nargs="*", default=list(_STARTS))
    parser.add_argument("--clock", type=float, default=SLOW, help="seconds that the first bridge counts in a second")
    args = parser.parse_args()
    report, ok = {}, True
    for name in args.start:
        begun = time.monotonic()
        found = search(_STARTS[name](clock=args.clock), args.depth)
        report[name] = asdict(found) | {"seconds": round(time.monotonic() - begun, 1)}
        ok &= found.broken is None
    print(json.dumps({"depth": args.depth, "clock": args.clock, "starts": report}, indent=1))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
