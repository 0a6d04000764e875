"""What EpSpot costs at AWS: ``python -m tests.bench.cost`` prints USD per outlet and month by service and by cause.

A week of the Trondheim record and sites of 10, 50 and 300 outlets are replayed in simulated time; every AWS call is
counted and priced from infra/prices.json. Fixed is what an account costs without a single outlet.

Not counted: free tiers, Cognito (its first 10,000 users are free), cold starts, the web.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from epspot.site import Fuse, Outlet, Site
from infra.local import cooperative, trondheim
from iot.simulator.loads import Car
from tests.bench.counting import call_cpu_s
from tests.bench.figures import Figure
from tests.bench.prices import DELIVERY_S, GB, MONTH_S, Prices, Usage
from tests.bench.replay import Outcome, Replay, Scenario, Stay

ROOT = Path(__file__).parents[2]
DAYS = {"trondheim": 7.0, "outlets_10": 3.0, "outlets_50": 2.0, "outlets_300": 1.0}
GOALS = {"outlets_50": "<= 0.01", "outlets_300": "<= 0.01"}
MONDAY = datetime(2020, 1, 20, tzinfo=ZoneInfo("Europe/Oslo"))
"""The week that is replayed: one of the record's busiest, 0.7 sessions per outlet and day."""
USUAL_DAY = datetime(2019, 9, 17, tzinfo=MONDAY.tzinfo)
"""16 plug-ins; the record's mean is 16.6 a day."""
NOISE = 0.005
"""Relative standard deviation of a measured current: a meter of class 1 is about so."""
POLLERS, POLL_S = 5, 20.0
"""Lambda polls a queue with this many long polls at a time, empty or not."""
_DAY_S = 86_400.0
_POST, _PER_BRIDGE = 10, 50


# ------------------------------------------------------------------ scenarios


def trondheim_days(days: float, start: datetime = MONDAY, noise: float = NOISE) -> Scenario:
    """Make the cooperative's recorded days, not squeezed."""
    record = trondheim.read()
    site = cooperative.site_of(record, 1.0)
    stays = cooperative.stays_of(record, site, start, timedelta(days=days).total_seconds(), 1.0)
    return Scenario(
        "trondheim",
        site,
        [Stay(s.begin_s, s.end_s, s.outlet, s.module, s.load) for s in stays],
        days,
        noise,
        start.timestamp(),
    )


def synthetic(outlets: int, days: float, noise: float = NOISE) -> Scenario:
    """Make a residential site: posts of ten at 63 A, 50 outlets to a bridge, cars that come in the evening."""
    name = f"outlets_{outlets}"
    chance = random.Random(name)
    main_a = max(63.0, 4.0 * outlets)
    posts = range(-(-outlets // _POST))
    site = Site(
        name,
        name,
        (Fuse("main", None, (main_a,) * 3), *(Fuse(f"p{p}", "main", (63.0,) * 3) for p in posts)),
        tuple(
            Outlet(
                id=f"{name}-{n}",
                number=str(n),
                fuse=f"p{n // _POST}",
                phases=((n % 3, (n + 1) % 3, (n + 2) % 3) if n % 3 else (n // 3 % 3,)),
                max_a=16.0,
                bridge=f"b{n // _PER_BRIDGE}",
                module=f"M{n}",
                public=True,
            )
            for n in range(outlets)
        ),
    ).checked()
    stays = [s for o in site.outlets for s in _evenings(o, days, chance)]
    return Scenario(name, site, sorted(stays, key=lambda s: s.begin_s), days, noise)


def _evenings(outlet: Outlet, days: float, chance: random.Random) -> Iterator[Stay]:
    """Let a car come on two evenings of three, as in the record."""
    free_s = 0.0
    for day in range(int(days) + 1):
        begin_s = (day + chance.gauss(17.5, 2.5) / 24) * _DAY_S
        stay_s = max(1800.0, chance.gauss(11.0, 3.0) * 3600)
        if chance.random() > 2 / 3 or begin_s < free_s:
            continue
        free_s = begin_s + stay_s + 600
        car = Car(needs_wh=chance.lognormvariate(9.2, 0.7), phases=len(outlet.phases), max_a=outlet.max_a)
        yield Stay(begin_s, begin_s + stay_s, outlet.id, outlet.module, car)


def scenario(name: str, days: float) -> Scenario:
    """Make a scenario by its name."""
    return trondheim_days(days) if name == "trondheim" else synthetic(int(name.removeprefix("outlets_")), days)


# ------------------------------------------------------------------ money


def variable_usd(outcome: Outcome, prices: Prices) -> dict[tuple[str, str], float]:
    """Tell USD per outlet and month by (cause, service)."""
    share = MONTH_S / (outcome.scenario.days * _DAY_S) / len(outcome.scenario.site.outlets)
    money = {key: usd * share for key, usd in prices.cost(outcome.usage).items()}
    kept = Usage("storage")
    for item in ("dynamodb.gb_month", "dynamodb.recovery_gb_month"):
        kept.add(item, outcome.stored_bytes / GB / len(outcome.scenario.site.outlets))
    return money | dict(prices.cost(kept))


def fixed_usd(idle: Usage, metrics: int, prices: Prices) -> dict[str, float]:
    """Tell USD per month by service of an account without outlets; ``idle`` is one run of the clock with nothing due."""
    usage = Usage("fixed")
    minutes = MONTH_S / 60
    for (_, item), amount in idle.counts.items():
        usage.add(item, amount * minutes)
    queues, alarms = _standing()
    usage.add("sqs.request", queues * POLLERS * MONTH_S / POLL_S)
    usage.add("s3.put", MONTH_S / DELIVERY_S)
    usage.add("cloudwatch.metric_month", metrics)
    usage.add("cloudwatch.alarm_month", alarms)
    return by(prices.cost(usage), 1)


def _standing() -> tuple[int, int]:
    """Count the queues that functions poll, and the alarms, in the templates."""
    polled = (ROOT / "template.yaml").read_text("utf-8").count("Type: SQS\n          Properties:")
    alarms = (ROOT / "infra" / "observability.yaml").read_text("utf-8").count("Type: AWS::CloudWatch::Alarm")
    return polled, alarms


def by(money: Mapping[tuple[str, str], float], place: int) -> dict[str, float]:
    """Add up by cause (0) or by service (1), the dearest first."""
    sums: Counter[str] = Counter()
    for key, usd in money.items():
        sums[key[place]] += usd  # type: ignore[assignment]
    return dict(sums.most_common())


def month_mb(outcome: Outcome) -> float:
    """Tell the megabytes per month, both ways, of the busiest bridge."""
    share = MONTH_S / (outcome.scenario.days * _DAY_S) / 1e6
    return max((w.up + w.down) * share for w in outcome.wires.values())


def write_figures(outcome: Outcome, day: str) -> list[Figure]:
    """Make figures of the write units that frames take."""
    writes = [w for _, w in outcome.frame_writes]
    changed = [w for w in writes if w]
    return [
        Figure(f"write_units_per_changed_frame_{day}", round(sum(changed) / len(changed), 3), "WRU", "<= 3"),
        Figure(f"write_units_per_frame_{day}", round(sum(writes) / len(writes), 3), "WRU", "<= 0.5"),
        Figure(f"frames_changed_{day}", round(100 * len(changed) / len(writes), 1), "%"),
    ]


def trondheim_writes() -> list[Figure]:
    """Replay two Trondheim days, a usual and a busy one, and tell what their frames write."""
    return [
        figure
        for name, start in (("usual_day", USUAL_DAY), ("busy_day", MONDAY))
        for figure in write_figures(Replay(trondheim_days(1.0, start), 0.001).run(), name)
    ]


# ------------------------------------------------------------------ figures


def _replay(name: str, days: float, cpu_s: float) -> Outcome:
    return Replay(scenario(name, days), cpu_s).run()


def outcomes(days: Mapping[str, float], cpu_s: float) -> dict[str, Outcome]:
    """Replay scenarios, two at a time; the longest begins first."""
    order = sorted(days, key=lambda n: n != "outlets_300")
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        running = {n: pool.submit(_replay, n, days[n], cpu_s) for n in order}
        return {n: running[n].result() for n in days}


def figures(found: Mapping[str, Outcome], idle: Usage, cpu_s: float) -> list[Figure]:
    """Price what was found."""
    prices = Prices.read()
    told: list[Figure] = []
    for name, outcome in found.items():
        money = variable_usd(outcome, prices)
        per = f"cost_{name}"
        told.append(Figure(f"{per}_variable", _usd(sum(money.values())), "USD/outlet/month", GOALS.get(name)))
        for place, how in ((0, "cause"), (1, "service")):
            told += [Figure(f"{per}_{how}_{_plain(k)}", _usd(v), "USD") for k, v in by(money, place).items()]
        sessions = outcome.sessions / outcome.scenario.days / len(outcome.scenario.site.outlets)
        told += [
            Figure(f"{per}_mb_per_bridge", round(month_mb(outcome), 1), "MB/month", "<= 200"),
            Figure(f"{per}_sessions", round(sessions, 2), "per outlet and day"),
            Figure(f"{per}_control_billed_p50", round(median(outcome.handler_ms["control"]), 1), "ms"),
        ]
    metrics = set[str]().union(*(o.metrics for o in found.values()))
    fixed = fixed_usd(idle, len(metrics), prices)
    told.append(Figure("cost_fixed", round(sum(fixed.values()), 2), "USD/month"))
    told += [Figure(f"cost_fixed_{_plain(service)}", round(usd, 3), "USD") for service, usd in fixed.items()]
    told.append(Figure("cpu_per_aws_call", round(1000 * cpu_s, 2), "ms"))
    return told


def _usd(value: float) -> float:
    return round(value, 6)


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_")


def measure(days: Mapping[str, float] = DAYS) -> list[Figure]:
    """Replay all scenarios and price them."""
    cpu_s = call_cpu_s()
    return figures(outcomes(days, cpu_s), Replay(synthetic(1, 0.0), cpu_s).idle(), cpu_s)


def main() -> None:
    """Replay the scenarios that are asked for, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cost", description="Price a month.")
    parser.add_argument("scenarios", nargs="*", choices=[*DAYS, []], help="all if none is named")
    parser.add_argument("--days", type=float, help="simulated days of each, instead of its own number")
    asked = parser.parse_args()
    days = {n: asked.days or DAYS[n] for n in asked.scenarios or DAYS}
    for f in measure(days):
        print(f"{f.name:<44} {f.value:>10g} {f.unit:<18} {f.goal or ''}")


if __name__ == "__main__":
    main()
