"""Let worlds live, one or many, and report."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic
from traceback import extract_tb
from typing import Any
from unittest.mock import patch

from epspot.services import advance as advancing
from tests.simulation.faults import LEVELS
from tests.simulation.replay import Recorder
from tests.simulation.world import World

MOST_DAYS = 10
"""A world lives no longer: many short lives differ more than one long one, and run at the same time."""
_TELL_S = 30


@dataclass(frozen=True, slots=True)
class Life:
    """What makes a world: the same again gives the same."""

    seed: int
    days: float
    faults: str

    @property
    def command(self) -> str:
        """Tell how to repeat it."""
        return f"python -m tests.simulation --seed {self.seed} --days {self.days:g} --faults {self.faults}"


def lives(seed: int, sites: int, days: float, faults: str) -> list[Life]:
    """Divide the days of each site into worlds of their own, numbered on from the seed."""
    whole, rest = divmod(days, MOST_DAYS)
    of_site = [float(MOST_DAYS)] * int(whole) + ([rest] if rest else [])
    return [Life(seed + n, d, faults) for n, d in enumerate(of_site * sites)]


def simulate(seed: int, days: float, faults: str) -> dict[str, Any]:
    """Live some days and report."""
    recorder = Recorder()
    with patch.object(advancing, "step", recorder):
        world = World(seed, LEVELS[faults])
        world.live(days)
    if wrong := recorder.differences(world.site):
        world.scene.watcher.violated("replay", f"{wrong} steps came out otherwise")
    bills = world.truth.bills.values()
    ended = Counter(n.fact.detail["reason"] for n in world.cloud.lives.outbox if n.fact.kind == "session.ended")
    return {
        "seed": seed,
        "days": days,
        "level": faults,
        "site": {
            "outlets": len(world.site.outlets),
            "fuses": len(world.site.fuses),
            "bridges": len(world.boxes),
            "metered": world.site.meter_bridge is not None,
        },
        "site_days": days,
        "steps": world.scene.watcher.steps,
        "sessions": len(bills),
        "ended_by_reason": dict(sorted(ended.items())),
        "faults": dict(sorted(world.scene.faults.items())),
        "invariants": world.scene.watcher.report(),
        "examples": world.scene.watcher.examples,
        "energy_wh": {
            "metered": sum(b.billed_wh for b in bills),
            "delivered": round(sum(b.delivered_wh for b in bills)),
        },
    }


def simulate_many(worlds: Sequence[Life], tell: Callable[[str], None]) -> dict[str, Any]:
    """Let worlds live on all processors, telling now and then how far they are, and add up their reports."""
    with ProcessPoolExecutor() as pool:
        futures = [pool.submit(_report, life) for life in worlds]
        _follow(futures, tell)
    reports = [f.result() for f in futures]
    total: dict[str, Any] = {"seed": worlds[0].seed, "worlds": len(worlds), "level": worlds[0].faults}
    total |= {name: sum(r[name] for r in reports) for name in ("site_days", "steps", "sessions")}
    for name in ("ended_by_reason", "faults", "invariants", "energy_wh"):
        added = Counter[str]()
        for r in reports:
            added.update(r[name])
        total[name] = dict(sorted(added.items()))
    examples = {
        life.seed: [life.command, *r["examples"]] for life, r in zip(worlds, reports, strict=True) if r["examples"]
    }
    return total | {"examples": examples}


def _report(life: Life) -> dict[str, Any]:
    """Live; a world that breaks down is a finding of its own seed, and the others go on."""
    try:
        return simulate(life.seed, life.days, life.faults)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the seed that repeats it
        at = extract_tb(error.__traceback__)[-1]
        found = f"no_world_breaks: {error!r} at {at.filename.rpartition('/')[2]}:{at.lineno}"
        counts: dict[str, Any] = dict.fromkeys(("site_days", "steps", "sessions"), 0)
        kinds: dict[str, Any] = {name: {} for name in ("ended_by_reason", "faults", "energy_wh")}
        return counts | kinds | {"invariants": {"no_world_breaks": 1}, "examples": [found]}


def _follow(futures: Sequence[Future[dict[str, Any]]], tell: Callable[[str], None]) -> None:
    begun = monotonic()
    while wait(futures, timeout=_TELL_S).not_done:
        done = [f.result() for f in futures if f.done()]
        days = sum(r["site_days"] for r in done)
        found = sum(sum(r["invariants"].values()) for r in done)
        pace = days * 60 / (monotonic() - begun)
        tell(f"{len(done)} of {len(futures)} worlds, {pace:.0f} site-days a minute, {found} violations")
