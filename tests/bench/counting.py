"""AWS in this process: what the adapters ask of botocore is answered from memory, and every call is counted.

``Cloud.installed`` takes the place of botocore's one way out, so that all above it is what runs in Lambda.
"""

import json
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

import botocore.client
import botocore.config
import botocore.session
from botocore.exceptions import ClientError

from tests.bench.prices import (
    EVENT_UNIT,
    FIREHOSE_UNIT,
    GB,
    IOT_UNIT,
    ITEM_OVERHEAD,
    JOURNAL_MONTHS,
    SQS_UNIT,
    Usage,
    index_units,
    item_size,
    read_units,
    units,
    write_units,
)

LIVE, CORE = "live", "core"
_KEYS_ONLY, _ALL = True, False
INDEXES = {
    LIVE: {"due": ("due_shard", "due_at", _KEYS_ONLY)},
    CORE: {"by_user": ("gsi1pk", "gsi1sk", _ALL), "by_site": ("gsi2pk", "gsi1sk", _KEYS_ONLY)},
}

WAITS_MS = {
    "Query": 5.0,
    "GetItem": 4.0,
    "PutItem": 6.0,
    "UpdateItem": 6.0,
    "TransactWriteItems": 14.0,
    "Publish": 15.0,
    "PutEvents": 15.0,
    "SendMessage": 10.0,
    "PutRecord": 15.0,
}
"""How long a call from Lambda is taken to wait for its answer: assumed, within one region."""

Record = dict[str, dict[str, Any]]
_TERM = re.compile(r"\(*\s*(?:attribute_not_exists \((#\d+)\)|(#\d+) (=|<=) (:\d+))\s*\)*\Z")
_SET = re.compile(r"SET (#\d+) = (:\d+)\Z")


@dataclass
class Cloud:
    """The account: its tables, and who hears what was published."""

    usage: Usage
    on_command: Callable[[str, bytes], None] = lambda _topic, _payload: None
    on_outbox: Callable[[Record], None] = lambda _item: None
    on_event: Callable[[dict[str, Any]], None] = lambda _entry: None
    tables: dict[str, dict[str, dict[str, Record]]] = field(default_factory=lambda: {LIVE: {}, CORE: {}})
    calls: int = 0
    waited_ms: float = 0.0

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Answer all that botocore's clients are asked."""

        def call(_client: Any, operation: str, told: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self, f"_{operation}")(told)
            self.calls += 1
            self.waited_ms += WAITS_MS.get(operation, 0.0)
            return answer

        with patch.object(botocore.client.BaseClient, "_make_api_call", call):
            yield

    @property
    def stored_bytes(self) -> int:
        """Tell what storage is billed for, both tables and their indexes."""
        total = 0
        for name, partitions in self.tables.items():
            for rows in partitions.values():
                for item in rows.values():
                    shown = (_shown(item, *index) for index in INDEXES[name].values())
                    total += sum(item_size(i) + ITEM_OVERHEAD for i in (item, *shown) if i)
        return total

    def due(self, now: float) -> bool:
        """Tell whether a site has to be looked at, without counting."""
        return any(
            float(i["due_at"]["N"]) <= int(now)
            for rows in self.tables[LIVE].values()
            for i in rows.values()
            if "due_at" in i
        )

    # -------------------------------------------------------------- DynamoDB

    def _GetItem(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        item = self._find(told["TableName"], told["Key"])
        size = 0 if item is None else item_size(item)
        self.usage.add("dynamodb.read_unit", read_units(size, consistent=told.get("ConsistentRead", False)))
        return {} if item is None else {"Item": item}

    def _Query(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        name = told["TableName"]
        holds = _condition(told, "KeyConditionExpression")
        index = INDEXES[name].get(told.get("IndexName", ""))
        if index is None:
            found = [i for rows in self._partition(told, name) for i in rows.values() if holds(i)]
        else:
            rows_all = (i for rows in self.tables[name].values() for i in rows.values())
            shown = [s for i in rows_all if holds(i) and (s := _shown(i, *index))]
            found = sorted(shown, key=lambda i: str(i[index[1]]), reverse=not told.get("ScanIndexForward", True))
        found = found[: told.get("Limit", len(found))]
        size = sum(map(item_size, found))
        self.usage.add("dynamodb.read_unit", read_units(size, consistent=told.get("ConsistentRead", False)))
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _PutItem(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        self._check(told, told["Item"])
        self._put(told["TableName"], told["Item"])
        return {}

    def _UpdateItem(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        self._check(told, told["Key"])
        change = _SET.match(told["UpdateExpression"])
        if change is None:
            raise NotImplementedError(told["UpdateExpression"])
        name = told["ExpressionAttributeNames"][change[1]]
        before = self._find(told["TableName"], told["Key"]) or told["Key"]
        after = {**before, name: told["ExpressionAttributeValues"][change[2]]}
        self._put(told["TableName"], after)
        return {"Attributes": after}

    def _TransactWriteItems(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        puts = [t["Put"] for t in told["TransactItems"]]
        for put in puts:
            self._check(put, put["Item"])
        for put in puts:
            self._put(put["TableName"], put["Item"], transaction=True)
        return {}

    def _BatchWriteItem(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        for name, requests in told["RequestItems"].items():
            for request in requests:
                self._put(name, request["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def _partition(self, told: dict[str, Any], name: str) -> list[dict[str, Record]]:
        keys = (v["S"] for v in told["ExpressionAttributeValues"].values() if "S" in v)
        return [self.tables[name][k] for k in keys if k in self.tables[name]]

    def _find(self, name: str, key: Record) -> Record | None:
        return self.tables[name].get(key["pk"]["S"], {}).get(key["sk"]["S"])

    def _check(self, told: dict[str, Any], key: Record) -> None:
        before = self._find(told["TableName"], key)
        if _condition(told, "ConditionExpression")(before or {}):
            return
        # What is refused is charged as if it had been written.
        self.usage.add("dynamodb.write_unit", write_units(before, key))
        raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "Put")

    def _put(self, name: str, item: Record, *, transaction: bool = False) -> None:
        before = self._find(name, item)
        written = write_units(before, item, transaction=transaction)
        for index in INDEXES[name].values():
            was = {} if before is None else _shown(before, *index)
            written += index_units(was, _shown(item, *index), transaction=transaction)
        self.usage.add("dynamodb.write_unit", written)
        self.tables[name].setdefault(item["pk"]["S"], {})[item["sk"]["S"]] = item
        if before is None and item["sk"]["S"].startswith("OUTBOX#"):
            self.on_outbox(item)

    # -------------------------------------------------------------- Firehose

    def _PutRecord(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        data = told["Record"]["Data"]
        self.usage.add("firehose.gb", units(len(data), FIREHOSE_UNIT) * FIREHOSE_UNIT / GB, "journal")
        # Compressed by itself, though an object holds many: those of a site stand far apart in it.
        self.usage.add("s3.gb_month", JOURNAL_MONTHS * len(zlib.compress(data)) / GB, "journal")
        return {"RecordId": "0"}

    # -------------------------------------------------------------- the rest

    def _DescribeEndpoint(self, _told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        return {"endpointAddress": "iot.invalid"}

    def _Publish(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        # Metered in, out, and with QoS 1 as the device's own acknowledgement.
        n = units(len(told["payload"]) + len(told["topic"]), IOT_UNIT)
        self.usage.add("iot.message", 2 * n + told["qos"])
        self.on_command(told["topic"], told["payload"])
        return {}

    def _PutEvents(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        for entry in told["Entries"]:
            self.usage.add("events.published", units(len(entry["Detail"].encode()), EVENT_UNIT))
            self.on_event(entry)
        return {"Entries": [{} for _ in told["Entries"]]}

    def _SendMessage(self, told: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        self.usage.add("sqs.request", units(len(told["MessageBody"].encode()), SQS_UNIT))
        return {"MessageId": "0"}


def _shown(item: Record, hash_key: str, range_key: str, keys_only: bool) -> Record:  # noqa: FBT001
    """Tell what an index holds of an item; nothing if the item lacks its keys."""
    if hash_key not in item or range_key not in item:
        return {}
    return {k: item[k] for k in ("pk", "sk", hash_key, range_key)} if keys_only else item


def _condition(told: Mapping[str, Any], name: str) -> Callable[[Record], bool]:
    """Read the few forms of conditions that our adapters write."""
    expression = told.get(name)
    if expression is None:
        return lambda _item: True
    if " AND " in expression and " OR " in expression:
        raise NotImplementedError(expression)
    together = any if " OR " in expression else all
    terms = [_term(part, told) for part in re.split(" AND | OR ", expression)]
    return lambda item: together(holds(item) for holds in terms)


def _term(term: str, told: Mapping[str, Any]) -> Callable[[Record], bool]:
    match = _TERM.match(term)
    if match is None:
        raise NotImplementedError(term)
    name = told["ExpressionAttributeNames"][match[1] or match[2]]
    if match[1]:
        return lambda item: name not in item
    value = told["ExpressionAttributeValues"][match[4]]
    if match[3] == "=":
        return lambda item: item.get(name) == value
    return lambda item: name in item and float(item[name]["N"]) <= float(value["N"])


# ------------------------------------------------------------------ what a real call would take


def call_cpu_s(count: int = 100) -> float:
    """Measure the CPU of one botocore call that is really made: build, sign, send, parse."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"Items": [{"pk": {"S": "x" * 500}}] * 4, "Count": 4}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = botocore.session.get_session().create_client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    query = {
        "TableName": "live",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "SITE#one"}},
    }
    client.query(**query)
    begun = time.thread_time()
    for _ in range(count):
        client.query(**query)
    spent = time.thread_time() - begun
    server.shutdown()
    server.server_close()
    return spent / count
