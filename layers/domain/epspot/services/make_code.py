"""Make access codes, and put an end to them."""

from dataclasses import replace

from epspot.access import Scope
from epspot.access.hashes import code_hash
from epspot.access.subjects import user_subject
from epspot.errors import NotFound
from epspot.ports import Registry
from epspot.registry.access_codes import ACCESS_CODE, CODE_KEY, DAY_S, REDEMPTION, AccessCode, CodeKey, of_code
from epspot.registry.kinds import Page, Put
from epspot.registry.records import GRANT, of_owner, of_subject
from epspot.services.authorize import Place
from epspot.services.changing import Actor, Deed, commit
from epspot.services.give_grant import Gift, Granting
from epspot.services.listing import everything, sifted
from epspot.services.retrying import until_written
from epspot.services.revoke import revoke_grant

_READ = 200


def make_code(
    world: Granting, actor: Actor, place: Place, gift: Gift, *, uses: int, grant_days: int | None
) -> AccessCode:
    """Make a code that gives a role, which has been checked, at a place."""

    def attempt() -> AccessCode:
        code = AccessCode(
            id=world.changing.ids.new(),
            owner=place.owner,
            text=world.changing.ids.code(),
            scope=str(place.scope),
            role=gift.role,
            uses=uses,
            begins_at=gift.begins_at,
            ends_at=gift.ends_at,
            grant_days=grant_days,
            made_at=actor.at,
        )
        key = CodeKey(code_hash(code.text), place.owner, code.id)
        deed = Deed(place.owner, code.scope, "access_code.created")
        commit(world.changing, actor, deed, Put(ACCESS_CODE, None, code), Put(CODE_KEY, None, key), made=code.id)
        return replace(code, version=1)

    return until_written(attempt)


def lasts_until(gift: Gift, grant_days: int | None) -> float | None:
    """Tell until when at the latest something lasts that a code gives; None: without an end."""
    return None if grant_days is None or gift.ends_at is None else gift.ends_at + grant_days * DAY_S


def end_code(world: Granting, actor: Actor, code: AccessCode, *, revoke: bool) -> None:
    """Let a code give nothing more; what it has given stays, unless that is to be revoked too. Raises NotFound."""

    def attempt() -> None:
        present = code_of(world.registry, code.owner, code.id)
        if present.ended_at is None:
            deed = Deed(present.owner, present.scope, "access_code.ended")
            commit(world.changing, actor, deed, Put(ACCESS_CODE, present, replace(present, ended_at=actor.at)))

    until_written(attempt)
    if revoke:
        for redemption in everything(world.registry, REDEMPTION, of_code(code.id)):
            grant = world.registry.get(GRANT, of_subject(user_subject(redemption.user)), redemption.grant)
            if grant is not None:
                revoke_grant(world, actor, grant)


def code_of(registry: Registry, owner: str, id_: str) -> AccessCode:
    """Find a code by its id. Raises NotFound."""
    code = registry.get(ACCESS_CODE, of_owner(owner), id_)
    if code is None:
        raise no_code(id_)
    return code


def no_code(id_: str) -> NotFound:
    """Refuse a code that is not there, or is another owner's."""
    return NotFound(
        f"There is no access code {id_[:80]} here. The list of access codes has those that there are.",
        f"Åtkomstkoden {id_[:80]} finns inte här. Se listan över åtkomstkoder.",
    )


def list_codes(
    registry: Registry, owner: str, scope: Scope | None, limit: int, cursor: str | None = None
) -> Page[AccessCode]:
    """List an owner's codes, or those for one scope."""
    return sifted(
        lambda after: registry.under(ACCESS_CODE, of_owner(owner), _READ, after),
        lambda c: scope is None or c.scope == str(scope),
        lambda c: c.id,
        limit,
        cursor,
    )
