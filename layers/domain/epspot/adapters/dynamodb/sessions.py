"""Sessions as their users see them."""

from collections.abc import Sequence
from dataclasses import asdict

from pynamodb.exceptions import DoesNotExist, PutError
from pynamodb.expressions.condition import Condition

from epspot.adapters.dynamodb import codec
from epspot.adapters.dynamodb.items import CoreItem, site_key
from epspot.errors import Conflict
from epspot.notices.times import time_text
from epspot.ports import SessionRecord, Vehicle

_VEHICLE = "VEHICLE"


class DynamoSessions:
    """``Sessions`` on the table ``core``."""

    def get(self, session: str) -> SessionRecord | None:
        """Find a session."""
        try:
            return _record_in(CoreItem.get(f"SESSION#{session}", "SESSION", consistent_read=True))
        except DoesNotExist:
            return None

    def of_user(self, user: str, limit: int) -> Sequence[SessionRecord]:
        """List a user's sessions, the newest first."""
        found = CoreItem.by_user.query(f"USER#{user}", scan_index_forward=False, limit=limit)
        return [_record_in(item) for item in found]

    def of_site(self, site: str, limit: int, after: str | None = None) -> tuple[Sequence[SessionRecord], str | None]:
        """List what was had at a site: their keys with one query, the records in one batch."""
        earlier = None if after is None else CoreItem.gsi1sk < after
        keys = [*CoreItem.by_site.query(site_key(site), earlier, scan_index_forward=False, limit=limit + 1)]
        shown = keys[:limit]
        read = {i.pk: _record_in(i) for i in CoreItem.batch_get([(k.pk, k.sk) for k in shown])}
        return [read[k.pk] for k in shown if k.pk in read], str(shown[-1].gsi1sk) if len(keys) > limit else None

    def add(self, record: SessionRecord) -> None:
        """Write the record of a session that began by itself. Raises Conflict if there is one."""
        _save(record, CoreItem.pk.does_not_exist())

    def replace(self, before: SessionRecord, after: SessionRecord) -> None:
        """Write a record anew, if nobody has since ``before`` was read. Raises Conflict."""
        _save(after, CoreItem.position == before.position)


def _save(record: SessionRecord, condition: Condition) -> None:
    try:
        record_item(record).save(condition=condition)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise Conflict(record.id) from error
        raise


class DynamoVehicles:
    """``Vehicles`` on the table ``core``: one item for each user of whose vehicle something is known."""

    def get(self, user: str) -> Vehicle:
        """Find what is known of a user's vehicle; nothing, if nothing is."""
        try:
            item = CoreItem.get(f"USER#{user}", _VEHICLE)
        except DoesNotExist:
            return Vehicle()
        return Vehicle(**codec.unpack(item.body or b"", int(item.schema)))

    def put(self, user: str, vehicle: Vehicle) -> None:
        """Remember what has been learned."""
        CoreItem(f"USER#{user}", _VEHICLE, schema=codec.SCHEMA, body=codec.pack(asdict(vehicle))).save()

    def forget(self, user: str) -> None:
        """Forget what is known of a user's vehicle."""
        CoreItem(f"USER#{user}", _VEHICLE).delete()


def record_item(r: SessionRecord) -> CoreItem:
    """Make the item of a session's record."""
    since = time_text(r.requested_at)
    return CoreItem(
        f"SESSION#{r.id}",
        "SESSION",
        schema=codec.SCHEMA,
        body=codec.pack(asdict(r)),
        position=r.position,
        gsi1pk=f"USER#{r.user}",
        gsi1sk=f"{since}#{r.id}",
        gsi2pk=site_key(r.site),
    )


def _record_in(item: CoreItem) -> SessionRecord:
    return SessionRecord(**codec.unpack(item.body or b"", int(item.schema)))
