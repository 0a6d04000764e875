"""The state of sites in DynamoDB: one decision item, one readings item per bridge, one commit."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from epspot.adapters.dynamodb import codec
from epspot.adapters.dynamodb.items import (
    CONFIG,
    DECISION,
    DUE_SHARDS,
    OUTBOX,
    READINGS,
    CoreItem,
    LiveItem,
    site_key,
)
from epspot.adapters.dynamodb.registry import add_to
from epspot.adapters.dynamodb.sessions import record_item
from epspot.control.draft import decision_equals
from epspot.control.due import due_at, next_look
from epspot.control.effects import Fact, Step
from epspot.control.state import Live, Readings
from epspot.control.worth import readings_to_write
from epspot.errors import Conflict, NotFound
from epspot.ports import Notice, SessionRecord
from epspot.registry.kinds import Change
from epspot.site import Site

OUTBOX_KEPT_S = 7 * 86_400
_KEPT_SITES = 256
_FACTS_PER_COMMIT = 1000
_NEVER = "never"
_CONDITION = "ConditionalCheckFailedException"


class DynamoLives:
    """``Lives`` on the tables ``live`` and ``core``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sites: dict[tuple[str, int], Site] = {}

    # -------------------------------------------------------------- reading

    def load(self, site: str) -> tuple[Site, Live]:
        """Read a site and its state with one consistent query; its configuration is kept per revision."""
        live: Live | None = None
        readings = {}
        for item in LiveItem.query(site_key(site), consistent_read=True):
            if item.sk == DECISION:
                look_at = int(item.due_at) if item.due_at else None
                live = codec.decision_in(site, int(item.version), item.state, int(item.schema), look_at)
            elif item.sk.startswith(READINGS):
                readings[item.sk.removeprefix(READINGS)] = codec.readings_in(item.state, int(item.schema))
        if live is None:
            raise NotFound(f"There is no site {site}.")
        return self._site(site, live.revision), replace(live, readings=readings)

    def configuration(self, site: str, revision: int) -> Site:
        """Read a site as it was configured at a revision. Raises NotFound."""
        return self._site(site, revision)

    def _site(self, site: str, revision: int) -> Site:
        key = (site, revision)
        if key not in self._sites:
            try:
                item = CoreItem.get(site_key(site), f"{CONFIG}{revision:08d}")
            except DoesNotExist:
                raise NotFound(f"Site {site} has no configuration {revision}.") from None
            if len(self._sites) >= _KEPT_SITES:
                self._sites.clear()
            self._sites[key] = codec.site_in(site, item.body, int(item.schema))
        return self._sites[key]

    def due(self, now: float) -> Sequence[tuple[str, int]]:
        """List the sites whose time has come, and that time, from every shard of the due index."""
        return [
            (item.pk.removeprefix("SITE#"), int(item.due_at))
            for shard in range(DUE_SHARDS)
            for item in LiveItem.due.query(f"due#{shard}", LiveItem.due_at <= int(now))
        ]

    # -------------------------------------------------------------- writing

    def commit(
        self,
        before: Live,
        step: Step,
        record: SessionRecord | None = None,
        site: Site | None = None,
        changes: Sequence[Change] = (),
    ) -> None:
        """Write what the step changed: nothing, plain conditional puts, or with facts one transaction."""
        after = step.live
        if site is not None:
            self._claim_all(site, self._site(before.site, before.revision))
        decided = not decision_equals(before, after) or bool(step.facts)
        readings = readings_to_write(before, after, told=bool(step.facts))
        known = site or self._site(after.site, after.revision)
        decision = _decision(known, before, after) if decided else None
        if step.facts or record is not None or site is not None or changes:
            config = None if site is None else _config(site)
            self._commit_together(before, step, decision, readings, record=record, config=config, changes=changes)
            if site is not None:
                self._release_all(self._site(before.site, before.revision), site)
            return
        try:
            if decision is not None:
                decision.save(condition=_unchanged(before))
            for b, r in readings.items():
                _readings_item(after.site, b, r).save(condition=_follows(before.readings.get(b)))
        except PutError as error:
            if _is_conflict(error):
                raise Conflict(before.site) from error
            raise

    def _commit_together(
        self,
        before: Live,
        step: Step,
        decision: LiveItem | None,
        readings: dict[str, Readings],
        *,
        record: SessionRecord | None,
        config: CoreItem | None,
        changes: Sequence[Change],
    ) -> None:
        after = step.live
        try:
            with TransactWrite(connection=self._connection) as transaction:
                if config is not None:
                    transaction.save(config, condition=CoreItem.pk.does_not_exist())
                if decision is not None:
                    transaction.save(decision, condition=_unchanged(before))
                for b, r in readings.items():
                    transaction.save(_readings_item(after.site, b, r), condition=_follows(before.readings.get(b)))
                if step.facts:
                    transaction.save(outbox_item(after.site, before.version + 1, after.at, step.facts))
                if record is not None:
                    transaction.save(record_item(record), condition=CoreItem.pk.does_not_exist())
                    self._check_register(transaction, before, record, readings)
                add_to(transaction, changes)
        except TransactWriteError as error:
            if _is_conflict(error):
                raise Conflict(before.site) from error
            raise

    def _check_register(
        self, transaction: TransactWrite, before: Live, record: SessionRecord, written: Mapping[str, Readings]
    ) -> None:
        """Hold a session to the readings that its first register comes from."""
        bridge = self._site(before.site, before.revision).outlet[record.outlet].bridge
        if bridge not in written:
            transaction.condition_check(
                LiveItem, site_key(before.site), f"{READINGS}{bridge}", condition=_follows(before.readings.get(bridge))
            )

    def postpone(self, site: str, seen: int) -> None:
        """Set the time of a site's next look, unless a commit has set it since it was ``seen``."""
        known, live = self.load(site)
        due = due_at(known, replace(live, at=max(live.at, seen)))
        if due is not None and due <= seen:
            return
        item, unchanged = LiveItem(site_key(site), DECISION), LiveItem.due_at == seen
        try:
            if due is None:
                item.update(actions=[LiveItem.due_at.remove(), LiveItem.due_shard.remove()], condition=unchanged)
            else:
                item.update(actions=[LiveItem.due_at.set(due)], condition=unchanged)
        except UpdateError as error:
            if error.cause_response_code != _CONDITION:
                raise

    def create(self, site: Site, live: Live, changes: Sequence[Change] = ()) -> None:
        """Write a new site: its look-ups first, then configuration and state together.

        Raises Conflict if the site exists, or if another has one of its bridges or outlets.
        """
        self._claim_all(site)
        config = _config(site)
        listed = CoreItem("SITES", site_key(site.id), schema=codec.SCHEMA, site=site.id)
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.save(config, condition=CoreItem.pk.does_not_exist())
                transaction.save(listed)
                transaction.save(_decision(site, live, live), condition=LiveItem.pk.does_not_exist())
                add_to(transaction, changes)
        except TransactWriteError as error:
            if _is_conflict(error):
                raise Conflict(site.id) from error
            raise

    def _claim_all(self, site: Site, before: Site | None = None) -> None:
        """Note whose the bridges and outlets of a site are; the outlets, often many, that it had before are noted already."""
        had = {} if before is None else before.outlet
        for b in site.of_bridge:
            self._claim(f"BRIDGE#{b}", "BRIDGE", site)
        for o in site.outlet:
            if o not in had:
                self._claim(f"OUTLET#{o}", "OUTLET", site)

    def _release_all(self, before: Site, site: Site) -> None:
        """Let others have what has left a site."""
        gone = [(f"BRIDGE#{b}", "BRIDGE") for b in before.of_bridge.keys() - site.of_bridge.keys()]
        gone += [(f"OUTLET#{o}", "OUTLET") for o in before.outlet.keys() - site.outlet.keys()]
        for key, kind in sorted(gone):
            try:
                CoreItem(key, kind).delete(condition=CoreItem.site == site.id)
            except DeleteError as error:
                if error.cause_response_code != _CONDITION:  # else another has it already
                    raise

    def _claim(self, key: str, kind: str, site: Site) -> None:
        """Note whose a bridge or an outlet is; an attempt that broke off may have noted it already."""
        ours = CoreItem.pk.does_not_exist() | (CoreItem.site == site.id)
        try:
            CoreItem(key, kind, schema=codec.SCHEMA, site=site.id).save(condition=ours)
        except PutError as error:
            if error.cause_response_code == _CONDITION:
                raise Conflict(f"{key} belongs to another site") from error
            raise


def _config(site: Site) -> CoreItem:
    return CoreItem(site_key(site.id), f"{CONFIG}{site.revision:08d}", schema=codec.SCHEMA, body=codec.site_out(site))


def _decision(site: Site, before: Live, after: Live) -> LiveItem:
    due = next_look(before, due_at(site, after))
    return LiveItem(
        site_key(after.site),
        DECISION,
        schema=codec.SCHEMA,
        version=before.version + 1,
        state=codec.decision_out(after),
        due_shard=None if due is None else f"due#{zlib.crc32(after.site.encode()) % DUE_SHARDS}",
        due_at=due,
    )


def _readings_item(site: str, bridge: str, readings: Readings) -> LiveItem:
    return LiveItem(
        site_key(site),
        f"{READINGS}{bridge}",
        schema=codec.SCHEMA,
        state=codec.readings_out(readings),
        stamp=_stamp(readings),
    )


def _stamp(readings: Readings | None) -> str:
    return _NEVER if readings is None else f"{readings.boot}/{readings.seq}"


def _unchanged(before: Live) -> Condition:
    return LiveItem.version == before.version


def _follows(before: Readings | None) -> Condition:
    return LiveItem.pk.does_not_exist() if before is None else LiveItem.stamp == _stamp(before)


def _is_conflict(error: PutError | TransactWriteError) -> bool:
    """Tell whether somebody else wrote first, or is writing."""
    if isinstance(error, TransactWriteError):
        reasons = {r.code for r in error.cancellation_reasons if r is not None}
        return bool(reasons & {"ConditionalCheckFailed", "TransactionConflict"})
    return error.cause_response_code in (_CONDITION, "TransactionConflictException")


# ------------------------------------------------------------------ outbox


def outbox_item(site: str, version: int, at: float, facts: Sequence[Fact]) -> CoreItem:
    """Make the one item that carries the facts of a step."""
    return CoreItem(
        site_key(site),
        f"{OUTBOX}{version:012d}",
        schema=codec.SCHEMA,
        text=json.dumps(
            {"at": at, "facts": [[f.kind, f.about, f.detail] for f in facts]},
            separators=(",", ":"),
            ensure_ascii=False,
        ),
        expires_at=int(at) + OUTBOX_KEPT_S,
    )


def notices_of(image: dict[str, dict[str, Any]]) -> list[Notice]:
    """Read an outbox item as the table's stream shows it. Raises KeyError or ValueError if it isn't one."""
    site = image["pk"]["S"].removeprefix("SITE#")
    version = int(image["sk"]["S"].removeprefix(OUTBOX))
    body = json.loads(image["text"]["S"])
    return [
        Notice(
            id=f"{site}/{version}/{n}",
            site=site,
            position=version * _FACTS_PER_COMMIT + n,
            at=body["at"],
            fact=Fact(kind, about, detail),
        )
        for n, (kind, about, detail) in enumerate(body["facts"])
    ]
