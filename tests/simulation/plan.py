"""Random sites: a fuse tree, outlets of every kind, two or more bridges."""

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from epspot.errors import InvalidSite
from epspot.site import Fuse, Outlet, Policy, Site
from iot.simulator.loads import Building

if TYPE_CHECKING:
    from iot.contract import Currents

_WIRINGS = ((0,), (1,), (2,), (0, 1, 2), (1, 2, 0), (2, 0, 1))
_MAIN_A = (25.0, 35.0, 50.0, 63.0, 80.0)
_GROUP_A = (16.0, 20.0, 25.0, 35.0, 50.0)
_FALLBACK_A = 6.0


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
    policy = Policy(
        lease_s=random.choice((300, 900, 900)),
        turn_s=random.choice((600, 900, 1800)),
        standby_s=random.choice((600, 900, 1800)),
    )
    site = Site("s", "s", tuple(fuses), tuple(outlets), policy, meter_bridge="b1" if building else None)
    return Plan(_with_fallbacks(random, site).checked(), building)


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
    return Fuse(name, parent, (rating_a, rating_a, rating_a), most, random.choice((0.8, 0.9, 0.9)), other)


def _outlet(random: Random, n: int, fuses: list[Fuse], bridge: str) -> Outlet:
    modulated = random.random() > 0.15
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
