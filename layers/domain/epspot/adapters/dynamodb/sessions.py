"""Sessions as their users see them, and the requests that started them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from pynamodb.exceptions import DoesNotExist, PutError

from epspot.adapters.dynamodb import codec
from epspot.adapters.dynamodb.items import CoreItem
from epspot.ports import SessionFact, SessionRecord, Start

KEY_KEPT_S = 7 * 86_400
_STATES = {
    "session.queued": "queued",
    "session.waiting": "queued",
    "session.active": "active",
    "session.stopping": "stopping",
    "session.ended": "ended",
}
_CONDITION = "ConditionalCheckFailedException"


class DynamoSessions:
    """``Sessions`` on the table ``core``."""

    def get(self, session: str) -> SessionRecord | None:
        """Find a session."""
        item = _find(f"SESSION#{session}", "SESSION")
        return None if item is None else _record_in(item)

    def of_user(self, user: str, limit: int) -> Sequence[SessionRecord]:
        """List a user's sessions, the newest first."""
        found = CoreItem.by_user.query(f"USER#{user}", scan_index_forward=False, limit=limit)
        return [_record_in(item) for item in found]

    def of_request(self, user: str, key: str) -> SessionRecord | None:
        """Find the session that was started with an Idempotency-Key."""
        item = _find(f"USER#{user}", f"REQUEST#{key}")
        return None if item is None else self.get(item.session)

    def note(self, fact: SessionFact) -> None:
        """Bring a record up to date; a fact that is older than the newest noted changes nothing."""
        item = _find(f"SESSION#{fact.session}", "SESSION")
        state = _STATES.get(fact.kind)
        if item is None or state is None or item.position >= fact.position:
            return
        d = fact.detail
        changes = {"state": state, "reason": d.get("reason")}
        if state == "ended":
            changes |= {
                "energy_wh": d["energy_wh"],
                "start_wh": d["start_wh"],
                "end_wh": d["end_wh"],
                "ended_at": fact.at,
            }
        body = codec.unpack(item.body or b"", int(item.schema)) | changes
        before, item.position, item.body = item.position, fact.position, codec.pack(body)
        try:
            item.save(condition=CoreItem.position == before)
        except PutError as error:
            if error.cause_response_code != _CONDITION:
                raise
            self.note(fact)  # another fact came between; it may be the older one


def record_items(start: Start) -> tuple[CoreItem, CoreItem]:
    """Make the items of a new session: its record, and the request that it answers."""
    r = start.record
    since = datetime.fromtimestamp(r.requested_at, UTC).isoformat(timespec="milliseconds")
    return (
        CoreItem(
            f"SESSION#{r.id}",
            "SESSION",
            schema=codec.SCHEMA,
            body=codec.pack(asdict(r)),
            site=r.site,
            position=0,
            gsi1pk=f"USER#{r.user}",
            gsi1sk=f"{since}#{r.id}",
        ),
        CoreItem(
            f"USER#{r.user}",
            f"REQUEST#{start.key}",
            schema=codec.SCHEMA,
            session=r.id,
            expires_at=int(r.requested_at) + KEY_KEPT_S,
        ),
    )


def _find(pk: str, sk: str) -> CoreItem | None:
    try:
        return CoreItem.get(pk, sk, consistent_read=True)
    except DoesNotExist:
        return None


def _record_in(item: CoreItem) -> SessionRecord:
    return SessionRecord(**codec.unpack(item.body or b"", int(item.schema)))
