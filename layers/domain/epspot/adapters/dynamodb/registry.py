"""The registry on the table ``core``: one way for every kind of record."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from epspot.adapters.dynamodb import codec
from epspot.adapters.dynamodb.items import CoreItem
from epspot.errors import Conflict
from epspot.registry.kinds import Change, Kind, Page, Put, R

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action

_LOST = {"ConditionalCheckFailed", "TransactionConflict", "DuplicateItem"}


class DynamoRegistry:
    """``Registry`` on the table ``core``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, kind: Kind[R], under: str, id: str) -> R | None:  # noqa: A002 - the port's name for it
        """Read a record, consistently."""
        try:
            return record_in(kind, CoreItem.get(under, _sort_key(kind, id), consistent_read=True))
        except DoesNotExist:
            return None

    def under(
        self, kind: Kind[R], under: str, limit: int = 1000, after: str | None = None, *, newest_first: bool = False
    ) -> Page[R]:
        """List what belongs somewhere with one query on the table."""
        begins = CoreItem.sk.startswith(_sort_key(kind, ""))
        last = None if after is None else {"pk": {"S": under}, "sk": {"S": _sort_key(kind, after)}}
        found = CoreItem.query(
            under,
            begins,
            consistent_read=True,
            scan_index_forward=not newest_first,
            limit=limit + 1,
            last_evaluated_key=last,
        )
        return _page(kind, found, limit)

    def also_under(self, kind: Kind[R], also: str, limit: int = 1000, after: str | None = None) -> Page[R]:
        """List what is also found somewhere with one query on the index."""
        first = _sort_key(kind, "") if after is None else _sort_key(kind, after) + "\0"
        between = CoreItem.gsi1sk.between(first, _sort_key(kind, "\U0010ffff"))
        return _page(kind, CoreItem.by_user.query(also, between, limit=limit + 1), limit)

    def commit(self, changes: Sequence[Change]) -> None:
        """Write changes in one transaction. Raises Conflict."""
        try:
            with TransactWrite(connection=self._connection) as transaction:
                add_to(transaction, changes)
        except TransactWriteError as error:
            if _LOST & {r.code for r in error.cancellation_reasons if r is not None}:
                raise Conflict(", ".join(c.kind.name for c in changes)) from error
            raise


class DynamoThrottle:
    """``Throttle`` on the table ``core``: a counter for each window, which vanishes after it."""

    def take(self, key: str, most: int, window_s: int, now: float) -> bool:
        """Count once more."""
        window = int(now // window_s)
        item = CoreItem(f"THROTTLE#{key}", f"{window_s}#{window}")
        actions: list[Action] = [CoreItem.position.add(1), CoreItem.expires_at.set((window + 2) * window_s)]
        try:
            # Beyond the most nothing is counted, so that who insists costs no write units.
            item.update(actions=actions, condition=CoreItem.position.does_not_exist() | (CoreItem.position < most))
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def give_back(self, key: str, window_s: int, now: float) -> None:
        """Count once less, unless nothing is counted."""
        item = CoreItem(f"THROTTLE#{key}", f"{window_s}#{int(now // window_s)}")
        try:
            item.update(actions=[CoreItem.position.add(-1)], condition=CoreItem.position > 0)
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise


def add_to(transaction: TransactWrite, changes: Iterable[Change]) -> None:
    """Put changes into a transaction."""
    for change in changes:
        unchanged = _unchanged(change.before)
        if isinstance(change, Put):
            transaction.save(_item(change), condition=unchanged)
        else:
            under, id_ = change.kind.under(change.before), change.kind.id(change.before)
            transaction.delete(CoreItem(under, _sort_key(change.kind, id_)), condition=unchanged)


def record_in(kind: Kind[R], item: CoreItem) -> R:
    """Read a record; a field that this version does not know is left out."""
    told = codec.unpack(item.body or b"", int(item.schema))
    known = {f.name for f in fields(kind.type)}  # type: ignore[arg-type]  # records are dataclasses
    return kind.type(**{n: _value_in(v) for n, v in told.items() if n in known} | {"version": int(item.position or 0)})


def _item(change: Put[Any]) -> CoreItem:
    kind, version = change.kind, (0 if change.before is None else change.before.version) + 1
    after = replace(change.after, version=version)
    expires_at = kind.expires_at(after)
    key = _sort_key(kind, kind.id(after))
    return CoreItem(
        kind.under(after),
        key,
        schema=codec.SCHEMA,
        body=codec.pack({f.name: getattr(after, f.name) for f in fields(after) if f.name != "version"}),
        position=version,
        gsi1pk=None if kind.also is None else kind.also(after),
        gsi1sk=None if kind.also is None else _sort_key(kind, _told_apart(kind, after)),
        expires_at=None if expires_at is None else int(expires_at),
    )


def _told_apart(kind: Kind[R], record: R) -> str:
    """Tell a record apart where it is also listed: by its id, or by what it belongs to if it is alone there."""
    return kind.id(record) or kind.under(record).partition("#")[2]


def _sort_key(kind: Kind[Any], id_: str) -> str:
    return f"{kind.name}#{id_}"


def _unchanged(before: Any) -> Condition:
    return CoreItem.pk.does_not_exist() if before is None else CoreItem.position == before.version


def _value_in(value: Any) -> Any:
    """Make tuples of JSON's arrays, however deep, as records have them."""
    if isinstance(value, list):
        return tuple(_value_in(v) for v in value)
    return {k: _value_in(v) for k, v in value.items()} if isinstance(value, dict) else value


def _page(kind: Kind[R], found: Iterable[CoreItem], limit: int) -> Page[R]:
    items: list[R] = []
    for item in found:
        if len(items) == limit:
            last = items[-1]
            return Page(tuple(items), _told_apart(kind, last))
        items.append(record_in(kind, item))
    return Page(tuple(items))
