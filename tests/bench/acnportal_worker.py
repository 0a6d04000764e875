"""What acnportal does with a problem: a script that runs in ``.venv-bench``, reads a job and writes the answers.

Two kinds of job, both with ``stations`` (id, min_a, max_a, volts) and ``constraints`` (name, limit_a, stations):

``allocate``   share the current once between all stations, ``repeats`` times; answers milliseconds and currents
``deliver``    step through ``arrivals`` (a station each: at_s, leaves_s, needs_wh) in periods of ``period_s``;
               answers what each arrival was delivered, and how long it waited for its first current

Each fuse-phase is one of acnportal's constraints. It carries the current of one phase only, so all angles are the
same and the magnitude that acnportal computes is the plain sum. A station's volts are 230 per conductor, so that
its current times its volts is its power.

acnportal's algorithms run as they come, in the two settings that they have for a smallest useful current:
``continuous``, any current from ``min_a`` up with uninterrupted_charging, and ``pilots``, whole amperes from
``min_a`` up or none, as its own models of stations have.
"""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from statistics import median
from time import perf_counter
from types import SimpleNamespace
from typing import Any

try:
    import numpy as np
    from acnportal.acnsim.interface import InfrastructureInfo, Interface, SessionInfo
    from acnportal.acnsim.models import EVSE, FiniteRatesEVSE
    from acnportal.acnsim.network import ChargingNetwork, Current
    from acnportal.algorithms import RoundRobin, SortedSchedulingAlgo, first_come_first_served, least_laxity_first
except ImportError as missing:
    sys.stderr.write(str(missing))
    sys.exit(3)

Json = Mapping[str, Any]
_HOUR_S = 3600.0
_PERIOD_MIN = 5.0
_FAR_PERIODS = 100
_PLENTY_KWH = 1000.0
_NOTHING_WH = 1e-6
_A_LITTLE_MORE = 1.001
"""acnportal leaves a session out that needs just what one period at its smallest current brings, or less."""

ALGORITHMS: dict[str, Callable[[bool], Any]] = {
    "round_robin": lambda keep: RoundRobin(first_come_first_served, uninterrupted_charging=keep),
    "first_come": lambda keep: SortedSchedulingAlgo(first_come_first_served, uninterrupted_charging=keep),
    "least_laxity": lambda keep: SortedSchedulingAlgo(least_laxity_first, uninterrupted_charging=keep),
}


def pilots_a(station: Json) -> list[float]:
    """List the currents of a station that knows whole amperes only; 0 is the first."""
    return [0.0, *(float(a) for a in range(math.ceil(station["min_a"]), math.floor(station["max_a"]) + 1))]


# ------------------------------------------------------------------ allocate


def network_of(job: Json, *, continuous: bool) -> Any:
    """Build acnportal's own network."""
    network = ChargingNetwork()
    for s in job["stations"]:
        evse = (
            EVSE(s["id"], max_rate=s["max_a"], min_rate=s["min_a"])
            if continuous
            else FiniteRatesEVSE(s["id"], pilots_a(s))
        )
        network.register_evse(evse, s["volts"], 0)
    for c in job["constraints"]:
        under = set(c["stations"])
        loads = {s["id"]: float(s["id"] in under) for s in job["stations"]}
        network.add_constraint(Current(loads), c["limit_a"], c["name"])
    return network


def allocate(job: Json) -> dict[str, Any]:
    """Run each algorithm in each setting on one problem, and take the time of ``schedule`` alone."""
    answers = {}
    for setting in ("continuous", "pilots"):
        continuous = setting == "continuous"
        network = network_of(job, continuous=continuous)
        interface = Interface(SimpleNamespace(network=network, iteration=0, period=_PERIOD_MIN))
        for name, make in ALGORITHMS.items():
            algorithm = make(continuous)
            algorithm.register_interface(interface)
            times_ms = []
            for _ in range(job["repeats"]):
                sessions = [SessionInfo(s["id"], s["id"], _PLENTY_KWH, 0, 0, _FAR_PERIODS) for s in job["stations"]]
                start = perf_counter()
                schedule = algorithm.schedule(sessions)
                times_ms.append((perf_counter() - start) * 1000)
            currents = {station: float(rates[0]) for station, rates in schedule.items()}
            answers[f"{name}_{setting}"] = {"median_ms": median(times_ms), "currents_a": currents}
    return answers


# ------------------------------------------------------------------ deliver


class Present(Interface):  # type: ignore[misc]  # acnportal has no types
    """The stations that somebody stands at now, as acnportal's algorithms see them."""

    def __init__(self, job: Json, *, continuous: bool) -> None:
        super().__init__(SimpleNamespace(iteration=0, period=job["period_s"] / 60))
        self.continuous = continuous
        self.constraints = [(c["name"], c["limit_a"], set(c["stations"])) for c in job["constraints"]]
        self.now: Any = None

    def move(self, period: int, stations: Sequence[Json]) -> None:
        """Go to a period. A constraint that all its stations together can't reach is left out: it binds nobody."""
        self._simulator.iteration = period
        binding = [
            (name, limit_a, [float(s["id"] in under) for s in stations])
            for name, limit_a, under in self.constraints
            if sum(s["max_a"] for s in stations if s["id"] in under) > limit_a
        ]
        allowed = [[s["min_a"], s["max_a"]] if self.continuous else pilots_a(s) for s in stations]
        self.now = InfrastructureInfo(
            constraint_matrix=np.array([row for _, _, row in binding]).reshape(len(binding), len(stations)),
            constraint_limits=np.array([limit_a for _, limit_a, _ in binding]),
            phases=np.zeros(len(stations)),
            voltages=np.array([s["volts"] for s in stations]),
            constraint_ids=[name for name, _, _ in binding],
            station_ids=[s["id"] for s in stations],
            max_pilot=np.array([a[-1] for a in allowed]),
            min_pilot=np.array([a[0] for a in allowed]),
            allowable_pilots=[np.array(a) for a in allowed],
            is_continuous=np.full(len(stations), self.continuous),
        )

    def _infrastructure_info(self) -> Any:
        return self.now


class Visit:
    """An arrival on its way from what it needs to what it gets."""

    def __init__(self, arrival: Json, station: Json, period_s: float) -> None:
        self.station = station
        self.at = round(arrival["at_s"] / period_s)
        self.leaves = round(arrival["leaves_s"] / period_s)
        self.needs_wh = self.left_wh = arrival["needs_wh"]
        self.wait_s = arrival["leaves_s"] - arrival["at_s"]
        self.served = False
        self._wh_per_a = station["volts"] * period_s / _HOUR_S

    def session(self, period: int) -> Any:
        """Describe it to acnportal, the rest rounded up to what a period brings at a current that it can give.

        Otherwise it would leave out what is less than that, though a vehicle takes no more than it needs.
        """
        rest_a = max(math.ceil(self.left_wh / self._wh_per_a), self.station["min_a"])
        rest_wh = rest_a * self._wh_per_a * _A_LITTLE_MORE
        name = self.station["id"]
        return SessionInfo(name, name, rest_wh / 1000, 0, self.at, self.leaves, current_time=period)

    def charge(self, current_a: float, period: int, period_s: float) -> None:
        """Charge for a period; a vehicle takes no more than it needs."""
        self.left_wh -= min(self.left_wh, current_a * self._wh_per_a)
        if current_a > 0 and not self.served:
            self.served, self.wait_s = True, (period - self.at) * period_s


def deliver(job: Json) -> dict[str, Any]:
    """Run each algorithm over all arrivals; answers per arrival (Wh delivered, s waited)."""
    continuous = job["setting"] == "continuous"
    return {name: run(job, make(continuous), continuous=continuous) for name, make in ALGORITHMS.items()}


def run(job: Json, algorithm: Any, *, continuous: bool) -> list[tuple[float, float]]:
    """Step one algorithm through the periods."""
    period_s = job["period_s"]
    present = Present(job, continuous=continuous)
    algorithm.register_interface(present)
    visits = [Visit(a, s, period_s) for a, s in zip(job["arrivals"], job["stations"], strict=True)]
    for period in range(max((v.leaves for v in visits), default=0)):
        charging = [v for v in visits if v.at <= period < v.leaves and v.left_wh > _NOTHING_WH]
        if charging:
            present.move(period, [v.station for v in charging])
            schedule = algorithm.schedule([v.session(period) for v in charging])
            for v in charging:
                v.charge(float(schedule[v.station["id"]][0]), period, period_s)
    return [(v.needs_wh - v.left_wh, v.wait_s) for v in visits]


JOBS = {"allocate": allocate, "deliver": deliver}

if __name__ == "__main__":
    the_job = json.load(sys.stdin)
    json.dump({"peer": f"acnportal {version('acnportal')}", "answers": JOBS[the_job["kind"]](the_job)}, sys.stdout)
