"""Random allocation problems of every form, as scenarios (the JSON that ``python -m epspot.control`` reads)."""

import random
from collections.abc import Iterator
from typing import Any

SEED = 1
_WIRINGS = (
    *(["L1"], ["L2"], ["L3"]),
    *(["L1", "L2", "L3"], ["L2", "L3", "L1"], ["L3", "L1", "L2"]),
    *(["L1", "L3", "L2"], ["L2", "L1", "L3"], ["L3", "L2", "L1"]),
)
_SMALL_FUSES, _SMALL_OUTLETS = 8, 12
_BIG_FUSES, _BIG_OUTLETS = (10, 60), (100, 300)
_BIG_EVERY = 500


def scenarios(count: int, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Make problems: 1 to 8 fuses with 1 to 12 outlets, and one of 500 with hundreds of outlets."""
    rng = random.Random(seed)
    for n in range(1, count + 1):
        if n % _BIG_EVERY == 0:
            yield scenario(rng, rng.randint(*_BIG_FUSES), rng.randint(*_BIG_OUTLETS))
        else:
            yield scenario(rng, rng.randint(1, _SMALL_FUSES), rng.randint(1, _SMALL_OUTLETS))


def scenario(rng: random.Random, fuses: int, outlets: int) -> dict[str, Any]:
    """Make one problem, where anything from nobody to everybody gets all that it asks for."""
    parents = [None, *(rng.randrange(i) for i in range(1, fuses))]
    places = [rng.randrange(fuses) for _ in range(outlets)]
    below = [0] * fuses
    for place in places:
        at: int | None = place
        while at is not None:
            below[at] += 1
            at = parents[at]
    generous = rng.uniform(0.4, 2.4)
    return {
        "fuses": [_fuse(rng, i, parents[i], 10.0 * generous * below[i]) for i in range(fuses)],
        "outlets": [_outlet(rng, i, place) for i, place in enumerate(places)],
        "sessions": [_session(rng, i) for i in range(outlets) if i == 0 or rng.random() < 0.95],
    }


def _fuse(rng: random.Random, i: int, parent: int | None, usual_a: float) -> dict[str, Any]:
    rating = max(6.0, usual_a * rng.uniform(0.5, 1.5))
    alike = rng.random() < 0.7
    other = rng.choice((0.0, 0.0, rng.uniform(0, 0.4)))
    return {
        "id": f"f{i}",
        "parent": None if parent is None else f"f{parent}",
        "rating_a": [rating] * 3 if alike else [round(rating * rng.uniform(0.7, 1.3), 1) for _ in range(3)],
        "other_a": [rating * other * rng.random() for _ in range(3)],
        "max_sessions": rng.randint(0, 6) if rng.random() < 0.1 else None,
    }


def _outlet(rng: random.Random, i: int, fuse: int) -> dict[str, Any]:
    most = rng.choice((10.0, 16.0, 16.0, 32.0, round(rng.uniform(8, 63), 1)))
    return {
        "id": f"o{i}",
        "fuse": f"f{fuse}",
        "phases": rng.choice(_WIRINGS),
        "min_a": rng.choice((6.0, 6.0, 0.5, most, round(rng.uniform(1, 8), 2))),
        "max_a": most,
        "modulated": rng.random() < 0.85,
    }


def _session(rng: random.Random, i: int) -> dict[str, Any]:
    return {
        "outlet": f"o{i}",
        "since": f"2026-01-05T07:{rng.randrange(60):02d}:00Z",
        "wants_a": rng.choice((None, None, round(rng.uniform(1, 40), 1))),
        "served_wh": rng.choice((0, 0, rng.randrange(10_000))),
        "weight": rng.choice((1, 1, 2, 3, 0.5, round(rng.uniform(0.1, 10), 2))),
    }
