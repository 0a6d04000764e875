"""Show somebody what they may use, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from epspot.access import Grant
from epspot.registry.records import MEMBER, OWNER, Member, Membership, of_owner
from epspot.services.authorize import Caller, Gate, grants_of, memberships_of


@dataclass(frozen=True, slots=True)
class Access:
    """What has been given to somebody, in person, by e-mail address or through groups."""

    grants: Sequence[Grant]
    memberships: Sequence[tuple[Membership, Member | None]]
    """Each with what the owner has written down of the member."""
    owners: Mapping[str, str]
    """The names of all the owners, by id."""


def show_access(gate: Gate, caller: Caller) -> Access:
    """List what a user may use, also what holds no more or not yet."""
    grants = grants_of(gate, caller)
    memberships = [
        (m, gate.registry.get(MEMBER, of_owner(m.owner), m.member)) for m in memberships_of(gate.registry, caller)
    ]
    ids = {g.owner for g in grants} | {m.owner for m, _ in memberships}
    found = {id_: gate.registry.get(OWNER, of_owner(id_), "") for id_ in sorted(ids)}
    return Access(grants, memberships, {id_: "" if o is None else o.name for id_, o in found.items()})
