"""Divide a fuse tree's current by the principles that its owner has chosen, fuse by fuse.

Every principle answers two questions: in which order sessions are let in, and how the admitted share. On a tree with
several principles a fuse answers both for what is below it, within what the fuse above has decided:

order    the fuse above decides which *places* in the order a group gets, the group who of its own takes them
share    the fuse above decides how *much* a group gets, the group who of its own gets it

So a group's choice is nobody else's loss: on each phase it gets what it would get anyway. What its choice leaves
unused, because phases don't match, goes to whoever can take it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from epspot.control.allocation import EPSILON_A, Claim, Share, admit, share, share_in_order
from epspot.site import PHASES, Network, Principle
from epspot.site.network import IMBALANCE

_BALANCINGS = 12


class Contest(NamedTuple):
    """What is asked for, and what decides who gets it."""

    network: Network
    load: Sequence[float]
    """In ampere per line: what is drawn already by others."""
    sessions: Sequence[int]
    """Per fuse: how many count already."""
    principles: Sequence[Principle]
    """Of each fuse, by its number in the network."""
    claims: Mapping[str, Claim]
    orders: Mapping[Principle, Sequence[str]]
    """The outlets with claims as each principle would serve them; every one that a fuse has is here."""
    needed_a: Mapping[str, float]
    """For readiness: what an outlet needs to be ready in time, where its user has said when."""


class Division(NamedTuple):
    """Who gets how much, and why not more; who gets nothing, and why."""

    order: list[str]
    shares: dict[str, Share]
    refused: dict[str, str]


def divide(contest: Contest) -> Division:
    """Decide who is let in and what each gets."""
    order = serving_order(contest)
    asked = [contest.claims[o] for o in order]
    entry = admit(contest.network, contest.load, contest.sessions, asked, _reserve(contest))
    return Division(order, _shares(contest, entry.admitted), entry.refused)


def _reserve(contest: Contest) -> dict[int, Mapping[str, float]]:
    """Tell for each line what those who are let in keep free there.

    Under turns that is all that they can use, under readiness what makes them ready in time: so nobody who can wait
    takes from them even its least.
    """
    if not {*contest.principles} & {Principle.TURNS, Principle.READINESS}:
        return {}
    kept: dict[Principle, Mapping[str, float]] = {
        Principle.TURNS: {o: c.max_a for o, c in contest.claims.items()},
        Principle.READINESS: {o: min(c.max_a, contest.needed_a.get(o, 0.0)) for o, c in contest.claims.items()},
    }
    by_line = ((c, _principle_of_line(contest, c)) for c in range(len(contest.network.names)))
    return {c: kept[p] for c, p in by_line if p in kept}


def balanced_division(contest: Contest, max_imbalance_a: float | None) -> Division:
    """Divide with the main fuse's phases at most so far apart; None: however far.

    Again and again less is given on the phases that carry too much more than the least loaded one, until none does.
    Who loads all three alike is no part of it.
    """
    lines = contest.network.caps.get(IMBALANCE, ())
    if not lines or max_imbalance_a is None:
        return divide(contest)
    contest = contest._replace(claims={o: _if_unequal(contest.network, c, lines) for o, c in contest.claims.items()})
    division = divide(contest)
    for _ in range(_BALANCINGS):
        phases_a = _on_lines(contest, division, lines)
        most = min(phases_a) + max_imbalance_a
        limits = {line: most for line, a in zip(lines, phases_a, strict=True) if a > most + EPSILON_A}
        if not limits:
            break
        contest = contest._replace(network=contest.network.limited(limits))
        division = divide(contest)
    return division


def _if_unequal(network: Network, claim: Claim, lines: Sequence[int]) -> Claim:
    """Take a claim off the lines of the balance if it loads each of them alike."""
    path = claim.path or network.paths[claim.outlet]
    return claim._replace(path=tuple(c for c in path if c not in lines)) if {*lines} <= {*path} else claim


def _on_lines(contest: Contest, division: Division, lines: Sequence[int]) -> list[float]:
    """Tell what lines carry when the admitted draw their shares."""
    network = contest.network
    claims = [contest.claims[o] for o in division.shares]
    load = network.load_on(_drawn(network, division.shares, claims), contest.load)
    return [load[line] for line in lines]


def serving_order(contest: Contest) -> list[str]:
    """Put the outlets in the order in which they are let in."""
    root, *choosers = _choosers(contest)
    order = list(contest.orders[contest.principles[root]])
    for fuse in choosers:
        wanted = iter([o for o in contest.orders[contest.principles[fuse]] if _is_below(contest, o, fuse)])
        order = [next(wanted) if _is_below(contest, o, fuse) else o for o in order]
    return order


def _choosers(contest: Contest) -> Iterator[int]:
    """Walk over the main fuse, and top-down over those that choose otherwise than the fuse above."""
    parents, principles = contest.network.parents, contest.principles
    depth = {f: sum(1 for _ in _above(parents, f)) for f in range(len(parents))}
    for f in sorted(depth, key=lambda f: depth[f]):
        parent = parents[f]
        if parent is None or principles[parent] is not principles[f]:
            yield f


def _above(parents: Sequence[int | None], fuse: int) -> Iterator[int]:
    at = parents[fuse]
    while at is not None:
        yield at
        at = parents[at]


def _is_below(contest: Contest, outlet: str, fuse: int) -> bool:
    return fuse in contest.network.chains[outlet]


def _principle_of_line(contest: Contest, line: int) -> Principle:
    """Tell which principle a line goes by: a fuse's own, a cap's that of the main fuse."""
    fuse = line // len(PHASES)
    if fuse >= len(contest.principles):
        fuse = contest.network.parents.index(None)
    return contest.principles[fuse]


def _shares(contest: Contest, admitted: list[Claim]) -> dict[str, Share]:
    root, *choosers = _choosers(contest)
    network = contest.network
    shares = _SHARES[contest.principles[root]](contest, network, contest.load, admitted)
    for fuse in choosers:
        inside = [c for c in admitted if _is_below(contest, c.outlet, fuse)]
        if inside:
            shares |= _share_anew(contest, fuse, shares, admitted)
    if not choosers:
        return shares
    return share(network, contest.load, [c._replace(min_a=shares[c.outlet].current_a, weight=1.0) for c in admitted])


def _share_anew(contest: Contest, fuse: int, shares: Mapping[str, Share], admitted: list[Claim]) -> dict[str, Share]:
    """Divide among a fuse's own what they got together, by its principle."""
    network = contest.network
    inside = [c for c in admitted if _is_below(contest, c.outlet, fuse)]
    outside = [c for c in admitted if not _is_below(contest, c.outlet, fuse)]
    beside = network.load_on(_drawn(network, shares, outside), contest.load)
    together = network.load_on(_drawn(network, shares, inside), beside)
    lines = range(fuse * len(PHASES), (fuse + 1) * len(PHASES))
    limited = network.limited({c: together[c] for c in lines})
    order = {o: i for i, o in enumerate(contest.orders[contest.principles[fuse]])}
    inside.sort(key=lambda c: order[c.outlet])
    return _SHARES[contest.principles[fuse]](contest, limited, beside, inside)


def _drawn(
    network: Network, shares: Mapping[str, Share], claims: Sequence[Claim]
) -> Iterator[tuple[Sequence[int], float]]:
    return ((c.path or network.paths[c.outlet], shares[c.outlet].current_a) for c in claims)


# ------------------------------------------------------------------ how each principle shares


def _equally(_: Contest, network: Network, load: Sequence[float], claims: list[Claim]) -> dict[str, Share]:
    return share(network, load, [c._replace(weight=1.0) for c in claims])


def _by_weight(_: Contest, network: Network, load: Sequence[float], claims: list[Claim]) -> dict[str, Share]:
    return share(network, load, claims)


def _one_by_one(_: Contest, network: Network, load: Sequence[float], claims: list[Claim]) -> dict[str, Share]:
    return share_in_order(network, load, claims)


def _by_need(contest: Contest, network: Network, load: Sequence[float], claims: list[Claim]) -> dict[str, Share]:
    """Give each in order what it needs to be ready in time; then let all share what is left."""
    needed = contest.needed_a
    first = [c._replace(max_a=min(c.max_a, max(c.min_a, needed.get(c.outlet, c.min_a)))) for c in claims]
    given = share_in_order(network, load, first)
    return share(network, load, [c._replace(min_a=given[c.outlet].current_a, weight=1.0) for c in claims])


_SHARES: dict[Principle, Callable[[Contest, Network, Sequence[float], list[Claim]], dict[str, Share]]] = {
    Principle.EQUAL: _equally,
    Principle.PRIORITY: _by_weight,
    Principle.FIRST_COME: _one_by_one,
    Principle.TURNS: _one_by_one,
    Principle.READINESS: _by_need,
}
