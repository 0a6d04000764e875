"""Random sites: a fuse tree, outlets of every kind, two or more bridges."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from epspot.errors import InvalidSite
from epspot.site import Cap, Fuse, Outlet, PeakTariff, Policy, Principle, Site, Window
from iot.bridge.settings import FuseLimit
from iot.simulator.loads import Building

if TYPE_CHECKING:
    from iot.contract import Currents

_WIRINGS = ((0,), (1,), (2,), (0, 1, 2), (1, 2, 0), (2, 0, 1))
_MAIN_A = (25.0, 35.0, 50.0, 63.0, 80.0)
_GROUP_A = (16.0, 20.0, 25.0, 35.0, 50.0)
_FALLBACK_A = 6.0
_PRINCIPLES = tuple(p.value for p in Principle)
STAFF = "staff"
"""The user group that weighs more."""
DEAR_ORE = 150.0
"""What a cap on the spot price calls dear."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A site as it is configured, and what its building draws if the main meter sees it."""

    site: Site
    building: Building | None


def random_plan(random: Random) -> Plan:
    """Draw a sound site of 3 to 30 outlets, mostly about 12."""
    fuses = _fuses(random)
    bridges = [f"b{n}" for n in range(1, random.choice((2, 2, 2, 3)) + 1)]
    count = random.choice((3, 6, 8, 10, 12, 12, 14, 16, 20, 30))
    outlets = [_outlet(random, n, fuses, bridges[n % len(bridges)]) for n in range(count)]
    building = None
    if random.random() < 0.4:
        base = random.uniform(0.5, 3.0)
        building = Building(
            base_a=(base, base, base),
            morning_a=random.uniform(0.0, 3.0),
            evening_a=random.uniform(0.0, 5.0),
            noise_a=random.uniform(0.1, 0.6),
            clock_s=random.randrange(86_400),
            seed=random.randrange(1 << 30),
        )
        most = base + building.morning_a + building.evening_a + 4 * building.noise_a
        fuses[0] = replace(fuses[0], other_a=(most, most, most))
    site = Site(
        "s",
        "s",
        tuple(fuses),
        tuple(outlets),
        _policy(random),
        meter_bridge="b1" if building else None,
        caps=tuple(_caps(random, fuses)),
    )
    return Plan(_with_fallbacks(random, site).checked(), building)


def _policy(random: Random) -> Policy:
    """Draw what the owner has set: the only place where that is done."""
    lease_s = random.choice((300, 900, 900))
    return Policy(
        lease_s=lease_s,
        interval_s=random.choice((60, 60, 120, 180)) if lease_s > 300 else 60,
        turn_s=random.choice((600, 900, 1800)),
        standby_s=random.choice((600, 900, 1800)),
        principle=random.choice(_PRINCIPLES),
        weights={STAFF: random.choice((1.0, 2.0, 5.0))},
        max_imbalance_a=random.choice((None, None, None, 10.0, 20.0)),
    )


def _caps(random: Random, fuses: list[Fuse]) -> Iterator[Cap]:
    """Draw what the owner limits further; mostly nothing."""
    if random.random() < 0.2:
        yield Cap("fixed", limit_a=random.uniform(10, 40), fuse=random.choice(fuses).id)
    if random.random() < 0.2:
        start = random.randrange(0, 1440, 15)
        end = (start + random.randrange(15, 600, 15)) % 1440 or 1440
        yield Cap("hours", limit_a=random.choice((0.0, 8.0, 20.0)), windows=(Window(start_min=start, end_min=end),))
    if random.random() < 0.15:
        yield Cap("dear", limit_a=random.choice((0.0, 10.0)), above_ore=DEAR_ORE)
    if random.random() < 0.15:
        yield Cap("peak", peak=PeakTariff(interval_s=random.choice((900, 3600)), least_w=random.uniform(5e3, 3e4)))


def _fuses(random: Random) -> list[Fuse]:
    main = random.choice(_MAIN_A)
    fuses = [_fuse(random, "main", None, main)]
    for n in range(random.randint(1, 5)):
        parent = random.choice(fuses[:3])
        rating = min(random.choice(_GROUP_A), max(parent.rating_a))
        fuses.append(_fuse(random, f"f{n}", parent.id, rating))
    return fuses


def _fuse(random: Random, name: str, parent: str | None, rating_a: float) -> Fuse:
    other: Currents = (0.0, 0.0, 0.0)
    if random.random() < 0.3:
        other = (random.uniform(0, 5), random.uniform(0, 5), random.uniform(0, 5))
    most = random.choice((None, None, None, 1, 2, 3, 4))
    principle = random.choice((*[None] * 8, *_PRINCIPLES))
    return Fuse(name, parent, (rating_a, rating_a, rating_a), most, random.choice((0.8, 0.9, 0.9)), other, principle)


def _outlet(random: Random, n: int, fuses: list[Fuse], bridge: str) -> Outlet:
    modulated = random.random() > 0.15
    autostart = random.random() < 0.1
    return Outlet(
        id=f"o{n:02}",
        number=str(n),
        fuse=random.choice(fuses).id,
        phases=random.choice(_WIRINGS) if modulated else random.choice(_WIRINGS[:3]),
        max_a=random.choice((16.0, 16.0, 32.0)) if modulated else 10.0,
        bridge=bridge,
        module=f"M{n:02}",
        min_a=6.0,
        modulated=modulated,
        autostart=autostart,
        paid_by="outlet" if autostart else "user",
    )


def _with_fallbacks(random: Random, site: Site) -> Site:
    """Give some outlets a fallback, as far as that stays safe."""
    for n, outlet in enumerate(site.outlets):
        if not outlet.modulated or random.random() > 0.3:
            continue
        fallen = replace(outlet, fallback_a=_FALLBACK_A)
        tried = replace(site, outlets=(*site.outlets[:n], fallen, *site.outlets[n + 1 :]))
        try:
            site = tried.checked()
        except InvalidSite:
            continue
    return site


def guarded_fuses(site: Site, bridge: str) -> tuple[FuseLimit, ...]:
    """List the fuses that a bridge can guard by what its own modules measure."""
    below: dict[int, list[str]] = {}
    for m, o in site.of_bridge[bridge].items():
        for f in site.network.chains[o.id]:
            below.setdefault(f, []).append(m)
    return tuple(FuseLimit(site.fuses[f].id, site.fuses[f].rating_a, tuple(ms)) for f, ms in sorted(below.items()))
