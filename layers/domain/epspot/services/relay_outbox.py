"""Pass on to the bus what commits have left in the outbox."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from epspot.ports import Aside, Bus, Notice


def relay_outbox(bus: Bus, aside: Aside, outbox: Iterable[Sequence[Notice]]) -> int:
    """Publish all notices; put aside with the reason what the bus does not take. Return how many went out."""
    notices = [n for written in outbox for n in written]
    failed = bus.publish(notices)
    for notice, reason in failed:
        aside.put(reason, json.dumps(asdict(notice)))
    return len(notices) - len(failed)
