"""The items of the two tables, and the keys that they are found by (docs/data-model.md).

The models stay in this package; what leaves it are the domain's own records.
"""

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

DUE_SHARDS = 4
_READ_S = 3
_CONNECT_S = 1
_RETRIES = 3


def site_key(site: str) -> str:
    """Key everything that belongs to a site."""
    return f"SITE#{site}"


DECISION = "DECISION"
CONFIG = "CONFIG#"
READINGS = "READINGS#"
OUTBOX = "OUTBOX#"


class DueIndex(GlobalSecondaryIndex["LiveItem"]):  # type: ignore[no-untyped-call]  # pynamodb's
    """Sites by when they must be looked at."""

    class Meta:
        """The index ``due``."""

        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class LiveItem(Model):
    """An item of the table ``live``: a site's decision, or the readings of one of its bridges."""

    class Meta:
        """Filled in by ``open_tables``."""

        table_name = ""
        region: str | None = None
        read_timeout_seconds = _READ_S
        connect_timeout_seconds = _CONNECT_S
        max_retry_attempts = _RETRIES

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    schema = NumberAttribute(attr_name="v")
    state = BinaryAttribute(legacy_encoding=False)
    version = NumberAttribute(null=True)
    stamp = UnicodeAttribute(null=True)
    """Of readings: ``<boot>/<seq>``."""
    due_shard = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    due = DueIndex()


class ByUserIndex(GlobalSecondaryIndex["CoreItem"]):  # type: ignore[no-untyped-call]  # pynamodb's
    """Sessions of a user by time, and records by what else they are listed under."""

    class Meta:
        """The index ``by_user``."""

        index_name = "by_user"
        projection = AllProjection()

    gsi1pk = UnicodeAttribute(hash_key=True)
    gsi1sk = UnicodeAttribute(range_key=True)


class BySiteIndex(GlobalSecondaryIndex["CoreItem"]):  # type: ignore[no-untyped-call]  # pynamodb's
    """Sessions of a site by time."""

    class Meta:
        """The index ``by_site``."""

        index_name = "by_site"
        projection = KeysOnlyProjection()

    gsi2pk = UnicodeAttribute(hash_key=True)
    gsi1sk = UnicodeAttribute(range_key=True)


class CoreItem(Model):
    """An item of the table ``core``: configuration, look-ups, sessions, outbox, records of the registry."""

    class Meta:
        """Filled in by ``open_tables``."""

        table_name = ""
        region: str | None = None
        read_timeout_seconds = _READ_S
        connect_timeout_seconds = _CONNECT_S
        max_retry_attempts = _RETRIES

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    schema = NumberAttribute(attr_name="v")
    body = BinaryAttribute(legacy_encoding=False, null=True)
    text = UnicodeAttribute(null=True)
    site = UnicodeAttribute(null=True)
    position = NumberAttribute(null=True)
    gsi1pk = UnicodeAttribute(null=True)
    gsi1sk = UnicodeAttribute(null=True)
    gsi2pk = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    by_user = ByUserIndex()
    by_site = BySiteIndex()


def open_tables(live_table: str, core_table: str, region: str) -> Connection:
    """Point the models at their tables; return the connection that their transactions use."""
    for model, name in ((LiveItem, live_table), (CoreItem, core_table)):
        model.Meta.table_name = name
        model.Meta.region = region
        model._connection = None  # noqa: SLF001 - forget the table that an earlier call meant
    return Connection(
        region=region,
        read_timeout_seconds=_READ_S,
        connect_timeout_seconds=_CONNECT_S,
        max_retry_attempts=_RETRIES,
    )
