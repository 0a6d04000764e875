"""How a request becomes an answer: who calls is let in, what is sent is checked, and every refusal has the one form."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from typing import Any
from urllib.parse import unquote

import fastjsonschema
from chalice.app import Request, Response

from epspot.access import Capability, Level, Scope
from epspot.access.hashes import hashed
from epspot.bootstrap import world
from epspot.errors import (
    Conflict,
    InvalidRequest,
    KeyReused,
    SessionUnknown,
    VersionChanged,
    VersionMissing,
)
from epspot.registry.records import ONCE, Once, of_caller
from epspot.services.authorize import GUEST, Caller, Place, may, place_of, require
from epspot.services.changing import Actor
from functions.api import errors
from functions.api.identity import caller_of
from functions.api.operations import JSON, PAGE, Operation, Query
from functions.api.schemas import SCHEMAS

MOST_BYTES = 1_000_000
MOST_KEY = 100
MOST_ID = 200
"""Bytes of a parameter in the path: keys of the tables are made of them."""
_TAKEN = {"application/scim+json": ("application/scim+json", JSON)}
"""What is taken beside the form itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view answers beyond a body."""

    body: Any
    status: int | None = None
    version: int | str | None = None
    """For the ETag."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """A request that has been let in and checked."""

    operation: Operation
    request: Request
    caller: Caller
    params: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    actor: Actor
    place: Place | None = None
    session: tuple[str, str] = ("", "")
    """Whose the session is that the path names, and its id."""
    made: str = ""
    """What an earlier request with the same Idempotency-Key has made: the view shows it, and makes nothing."""

    @property
    def world(self) -> Any:
        """Reach what bootstrap has built."""
        return world()

    @property
    def here(self) -> Place:
        """Tell the place that the operation is about."""
        if self.place is None:
            raise LookupError(self.operation.name)
        return self.place

    @property
    def language(self) -> str:
        """Tell what the caller reads: ``sv`` or ``en``."""
        return errors.language_of(self.request)

    @property
    def source(self) -> str:
        """Tell from where on the net the request comes, as the gateway has seen it: what a caller says of it is not heard."""
        return str((self.request.context.get("identity") or {}).get("sourceIp") or "")

    @property
    def limit(self) -> int:
        """Tell how many things are asked for at once."""
        return int(self.query.get("limit", PAGE))

    @property
    def cursor(self) -> str | None:
        """Tell where a list goes on."""
        return self.query.get("cursor")

    def check_version(self, version: int) -> None:
        """Refuse a change of another version than the one that stands. Raises VersionChanged."""
        said = self.request.headers.get("if-match", "").strip()
        if said != "*" and said.removeprefix("W/").strip('"') != str(version):
            raise VersionChanged(
                "It has been changed since you read it. Read it again, and send its new ETag in If-Match.",
                "Det har ändrats sedan du hämtade det. Hämta det på nytt, och skicka dess nya ETag i If-Match.",
            )

    @property
    def key(self) -> str:
        """Tell the Idempotency-Key, which has been checked."""
        return str(self.request.headers.get("idempotency-key", ""))

    def require(self, capability: Capability, scope: Scope) -> Place:
        """Let the caller pass who has a capability on a scope that the path does not name. Raises a Refusal."""
        place = place_of(self.world.gate, scope)
        require(self.world.gate, self.caller, capability, place)
        return place


def answer(operation_: Operation, request: Request) -> Response:
    """Carry out a request, from who is calling to the answer; every refusal has the one form."""
    try:
        return _render(operation_, _carry_out(operation_, request))
    except Exception as error:  # noqa: BLE001 - the last line before the caller, who must see no stack trace
        return errors.refusal(error, request)


def _carry_out(op: Operation, request: Request) -> Any:
    caller = GUEST if op.guests and not request.headers.get("authorization") else caller_of(world(), request)
    params = _params(request)
    actor = Actor(by=caller.subject or "guest", at=world().clock.now())
    call = Call(op, request, caller, params, {}, None, actor)
    if op.needs is not None and op.on == "session":
        call.session = session_of(caller, op.needs, params["session"])
    elif op.needs is not None and op.on is not None:
        call.place = place_of(world().gate, _scope(op.on, params))
        require(world().gate, caller, op.needs, call.place)
    call.query, call.body = _query(op, request), _body(op, request)
    if op.changes and not request.headers.get("if-match"):
        raise VersionMissing(
            "Send the ETag of what you have read in If-Match, so that nobody's change is lost.",
            "Skicka ETag för det du har hämtat i If-Match, så att ingens ändring går förlorad.",
        )
    return _once(call) if op.creates else op.view(call)


def _params(request: Request) -> Mapping[str, str]:
    params = {name: unquote(value) for name, value in (request.uri_params or {}).items()}
    if long := [name for name, value in params.items() if len(value.encode()) > MOST_ID]:
        raise InvalidRequest(f"{long[0]} in the path has more than {MOST_ID} bytes.")
    return params


def session_of(caller: Caller, needs: Capability, session: str) -> tuple[str, str]:
    """Find a session that is the caller's own, or at an outlet on which the caller has a capability."""
    record = world().sessions.get(session)
    # A session that began by itself is nobody's: its user is empty, as a guest's is.
    if record is not None and not (record.user and record.user == caller.user):
        place = place_of(world().gate, Scope(Level.OUTLET, record.outlet))
        if not may(world().gate, caller, needs, place):
            record = None
    if record is None:
        raise SessionUnknown(
            "You have no session with this id. The list of sessions has yours.",
            "Du har ingen session med detta id. Dina finns i listan över sessioner.",
        )
    return record.user, record.id


def _once(call: Call) -> Any:
    """Carry out a creating request once, however often it comes."""
    key = call.request.headers.get("idempotency-key", "")
    if not 1 <= len(key) <= MOST_KEY or not key.isascii() or not key.isprintable():
        raise InvalidRequest(
            f"Send the header Idempotency-Key with a text of your own of 1 to {MOST_KEY} ASCII characters, new each time."
        )
    key_hash = hashed(f"{call.operation.name}\n{key}")
    print_ = hashed(json.dumps([call.params, call.body], sort_keys=True))
    caller = call.caller.subject
    once = Once(caller, key_hash, print_, "", call.actor.at)
    call.actor = Actor(call.actor.by, call.actor.at, once)
    for attempt in (1, 2):
        done = world().registry.get(ONCE, of_caller(caller), key_hash)
        if done is not None:
            if done.fingerprint != print_:
                raise KeyReused("This Idempotency-Key was sent with another request. Use a new one.")
            call.made = done.made
        try:
            return call.operation.view(call)
        except Conflict:
            # Perhaps the same request, sent twice at once, has won.
            if attempt == 2 or call.made:  # noqa: PLR2004
                raise
    raise AssertionError  # the loop returns or raises


def _scope(on: str, params: Mapping[str, str]) -> Scope:
    if on == "group":
        return Scope(Level.GROUP, f"{params['site']}/{params['group']}")
    return Scope(Level(on), params[on])


def _query(op: Operation, request: Request) -> Mapping[str, Any]:
    asked: dict[str, Any] = {}
    sent = dict(request.query_params or {})
    if unknown := sorted(sent.keys() - {q.name for q in op.query}):
        known = ", ".join(q.name for q in op.query) or "none"
        raise InvalidRequest(f"The parameter {unknown[0][:40]!r} is not known here; known: {known}.")
    for q in op.query:
        if q.name not in sent:
            if q.required:
                raise InvalidRequest(f"The parameter {q.name} is missing: {q.about}.")
            continue
        asked[q.name] = _checked(_typed(q, sent[q.name]), q.name, _validator(json.dumps(q.schema)))
    return asked


def _typed(q: Query, text: str) -> Any:
    kind = q.schema.get("type")
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return _finite(float(text))
        if kind == "boolean":
            return {"true": True, "false": False}[text]
    except (ValueError, KeyError):
        raise InvalidRequest(f"The parameter {q.name} must be a {kind}: {q.about}.") from None
    return text


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError
    return value


def _body(op: Operation, request: Request) -> Any:
    raw = _bytes(request.raw_body or b"")
    if len(raw) > MOST_BYTES:
        raise errors.TooLarge(f"The body has {len(raw)} bytes; at most {MOST_BYTES} are taken.")
    if op.body is None:
        return None
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in _TAKEN.get(op.takes, (op.takes,)):
        raise errors.WrongMedia(f"Send the body as {op.takes}, and say so in Content-Type.")
    if op.takes.startswith("text/"):
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidRequest("The body must be text in UTF-8.") from None
    try:
        body = json.loads(raw, parse_constant=_no_constant)
        # Half a character (\ud800) and an infinite number (1e400) can be read, but written nowhere.
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise InvalidRequest("The body must be JSON.") from None
    return _checked(body, "the body", validator(op.body))


def _bytes(raw: str | bytes) -> bytes:
    return raw.encode() if isinstance(raw, str) else raw


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _checked(value: Any, what: str, check: Callable[[Any], Any]) -> Any:
    try:
        return check(value)
    except fastjsonschema.JsonSchemaValueException as error:
        name = str(error.name)
        at = name.removeprefix("data").removeprefix(".") or what
        raise InvalidRequest(f"{at}: {error.message.removeprefix(name).strip()[:300]}.") from None
    except RecursionError:
        raise InvalidRequest(f"{what} is nested too deeply.") from None


@cache
def validator(name: str) -> Callable[[Any], Any]:
    """Make what checks a body against a schema of the API, once."""
    return _validator(json.dumps(resolved(SCHEMAS[name])))


@cache
def _validator(schema: str) -> Callable[[Any], Any]:
    check: Callable[[Any], Any] = fastjsonschema.compile(
        json.loads(schema), use_default=False, detailed_exceptions=True
    )
    return check


def resolved(schema: Any) -> Any:
    """Put schemas in the place of the references to them."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            return resolved(SCHEMAS[schema["$ref"].rpartition("/")[2]])
        return {k: resolved(v) for k, v in schema.items()}
    return [resolved(v) for v in schema] if isinstance(schema, list | tuple) else schema


def _render(op: Operation, told: Any) -> Response:
    told = told if isinstance(told, Answer) else Answer(told)
    headers = dict(told.headers)
    if told.version is not None:
        headers["ETag"] = f'"{told.version}"'
    if told.body is not None:
        headers.setdefault("Content-Type", op.media)
    body = (
        told.body
        if isinstance(told.body, str | bytes)
        else ""
        if told.body is None
        else json.dumps(told.body, ensure_ascii=False)
    )
    return Response(body=body, status_code=told.status or op.status, headers=headers)


def page(items: Sequence[Any], next_: str | None) -> dict[str, Any]:
    """Render some of a list, with where it goes on."""
    return {"items": list(items), "next": next_}
