"""The API's description (OpenAPI 3.1) and a page to read it on, both made from the operations themselves."""

from collections.abc import Mapping
from functools import cache
from html import escape
from http import HTTPStatus
from typing import Any

from functions.api.errors import PROBLEM
from functions.api.operations import OPERATIONS, Operation, Query
from functions.api.schemas import SCHEMAS

VERSION = "1.0.0"
_ABOUT = (
    "Control, meter and charge for electricity at outlets. Users send the id token that signing in gives, other systems an "
    "integration token, both as `Authorization: Bearer …`. Lists come in pages: `next` is the `cursor` of the following one. "
    "A creating call takes an `Idempotency-Key`: the same call again makes nothing more. A change takes the `ETag` that was "
    "read, in `If-Match`. What is refused is told as problem details (RFC 9457) with a stable `code`, in the language of "
    "`Accept-Language` (Swedish or English). Times are ISO 8601 with their zone, currents in A, energy in Wh, money in öre."
)
_ALWAYS = (400, 401, 403, 404, 429, 500, 503)
_TEXTS = {
    400: "It is not of the form that it must have",
    401: "Nobody is known to be calling",
    403: "The caller may know of it, but not do this",
    404: "There is no such thing, or the caller must not know of it",
    409: "It is in a state in which this can't be done",
    410: "It is over",
    412: "It has been changed since it was read",
    413: "The body is too large",
    415: "The body is in another form than the operation takes",
    422: "It makes no sense, would not be safe, or its `Idempotency-Key` came with another request: every reason is told",
    428: "`If-Match` is missing",
    429: "Too often: try again after `Retry-After` seconds",
    500: "Something went wrong on our side",
    503: "It can't be had now: try again after `Retry-After` seconds",
}
_ALSO = {304: {"description": "It is still as `If-None-Match` says"}}


@cache
def document() -> Mapping[str, Any]:
    """Make the whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for op in sorted(OPERATIONS, key=lambda o: (o.path, o.method)):
        paths.setdefault(op.path, {})[op.method.lower()] = _operation(op)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "EpSpot",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ".."}],
        "tags": [{"name": tag} for tag in sorted({op.tag for op in OPERATIONS})],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An id token, or an integration token"}
            },
            "schemas": {name: SCHEMAS[name] for name in sorted(SCHEMAS)},
        },
    }


def _operation(op: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {"operationId": op.name, "summary": op.summary, "tags": [op.tag], "description": _who(op)}
    parameters = [*(_in_path(name) for name in op.parameters), *(_in_query(q) for q in op.query)]
    if op.creates:
        parameters.append(_header("Idempotency-Key", "The caller's own, new for each thing that is to be made", 100))
    if op.changes:
        parameters.append(_header("If-Match", "The ETag that was read", 100))
    if HTTPStatus.NOT_MODIFIED in op.also:
        parameters.append(_header("If-None-Match", "The ETag of what one has", 400) | {"required": False})
    if parameters:
        told["parameters"] = parameters
    if op.guests:
        told["security"] = []
    if op.body is not None:
        schema = {"type": "string"} if op.takes.startswith("text/") else _ref(op.body)
        told["requestBody"] = {"required": True, "content": {op.takes: {"schema": schema}}}
    told["responses"] = _responses(op)
    return told


def _who(op: Operation) -> str:
    if op.guests:
        return "Open to everybody."
    if op.needs is None:
        return "For who is signed in, about what is their own."
    whose = "one's own session, or" if op.on == "session" else "it"
    return f"Takes {whose} the capability `{op.needs.value}` on the {op.on}."


def _responses(op: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done"}
    if op.answer is not None:
        good["content"] = {op.media: {"schema": _ref(op.answer)}}
    elif op.media != "application/json" and op.status != HTTPStatus.NO_CONTENT:
        good["content"] = {op.media: {"schema": {"type": "string"}}}
    codes = {*_ALWAYS, *op.refusals}
    codes |= {413, 415} if op.body is not None else set()
    codes |= {422} if op.creates else set()
    codes |= {412, 428} if op.changes else set()
    problem = {PROBLEM: {"schema": _ref("Problem")}}
    if op.media == "application/scim+json":
        problem[op.media] = {"schema": _ref("ScimError")}
    refused = {str(c): {"description": _TEXTS[c], "content": problem} for c in sorted(codes - {op.status})}
    # A repeated creating call finds what the first one made.
    also = {*op.also, 200} if op.creates else {*op.also}
    return {str(op.status): good} | {str(c): _ALSO.get(c, good) for c in sorted(also - {op.status})} | refused


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _in_path(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    }


def _in_query(q: Query) -> dict[str, Any]:
    return {"name": q.name, "in": "query", "required": q.required, "description": q.about, "schema": q.schema}


def _header(name: str, about: str, longest: int) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": longest, "pattern": "^[ -~]+$"}
    return {"name": name, "in": "header", "required": True, "description": about, "schema": schema}


# ------------------------------------------------------------------ to read


@cache
def page() -> str:
    """Make a page of the description: no script, nothing from elsewhere."""
    told = document()
    by_tag: dict[str, list[str]] = {}
    for path, methods in told["paths"].items():
        for method, op in methods.items():
            by_tag.setdefault(op["tags"][0], []).append(_as_html(method.upper(), path, op))
    contents = "".join(
        f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a> <small>{len(by_tag[tag])}</small></li>'
        for tag in sorted(by_tag)
    )
    body = "".join(f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>{"".join(by_tag[tag])}' for tag in sorted(by_tag))
    forms = "".join(
        _schema_as_html(name, told["components"]["schemas"][name]) for name in sorted(told["components"]["schemas"])
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>EpSpot API {VERSION}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>EpSpot API</h1><p>{_prose(_ABOUT)}</p><p><a href="openapi.json">openapi.json</a></p><nav><ul>{contents}'
        f'<li><a href="#refusals">Refusals</a></li><li><a href="#forms">Forms</a></li></ul></nav>{body}{_refusals_as_html()}'
        f'<h2 id="forms">Forms</h2>{forms}</main></body></html>'
    )


_STYLE = (
    ":root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent);"
    "--get:light-dark(#1a6fb5,#7cc0ff);--make:light-dark(#23803a,#7fd992);--set:light-dark(#9a5b00,#f0b762);--end:light-dark(#b3261e,#ff9a92)}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0}main{max-width:60rem;margin:0 auto;padding:1rem}a{color:var(--get)}"
    "code{font:.92em ui-monospace,monospace;overflow-wrap:anywhere}h2{border-bottom:1px solid var(--line);margin-top:2.5rem}"
    "nav{border:1px solid var(--line);border-radius:.5rem;padding:.25rem 1rem}nav ul{columns:9rem;padding:0;list-style:none}"
    "details{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.5rem .75rem}summary{cursor:pointer}"
    "details>div{scroll-margin-top:4rem;overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}"
    "caption{text-align:left;font-weight:600;opacity:.7}"
    "td{border-top:1px solid var(--line);padding:.25rem .75rem .25rem 0;vertical-align:top}"
    "td:first-child{width:11rem}td:nth-child(2):not(:last-child){width:11rem}"
    ".m{display:inline-block;min-width:4.4em;font-weight:600;color:var(--get)}.POST{color:var(--make)}.PUT,.PATCH{color:var(--set)}"
    ".DELETE{color:var(--end)}small{opacity:.7}"
    "@media(max-width:40rem){td:first-child,td:nth-child(2):not(:last-child){width:auto}"
    "tr:has(td:nth-child(3)) td{display:block;padding:0}tr:has(td:nth-child(3)) td+td{border:0}nav ul{columns:7rem}}"
)


def _as_html(method: str, path: str, op: Mapping[str, Any]) -> str:
    rows = [
        (p["name"], p["in"] + (", required" if p["required"] else ""), _prose(p.get("description", "")))
        for p in op.get("parameters", ())
    ]
    for media, content in op.get("requestBody", {}).get("content", {}).items():
        rows.append(("body", media, _link(content["schema"])))
    asked = "".join(f"<tr><td><code>{escape(n)}</code></td><td>{escape(w)}</td><td>{a}</td></tr>" for n, w, a in rows)
    answers = "".join(_answer_as_html(code, r) for code, r in op["responses"].items() if int(code) not in _ALWAYS)
    return (
        f'<details><summary><span class="m {method}">{method}</span> <code>{escape(path)}</code><br>{_prose(op["summary"])}</summary>'
        f'<div id="{op["operationId"]}"><p>{_prose(op["description"])}</p>'
        f"{_table('Takes', asked)}{_table('Answers', answers)}</div></details>"
    )


def _answer_as_html(code: str, answer: Mapping[str, Any]) -> str:
    links = _links(answer.get("content", {}))
    return f"<tr><td>{code}</td><td>{_prose(answer['description'])}{': ' if links else ''}{links}</td></tr>"


def _refusals_as_html() -> str:
    """Tell once what every operation may answer."""
    rows = "".join(_answer_as_html(str(code), {"description": _TEXTS[code]}) for code in _ALWAYS)
    return (
        '<h2 id="refusals">Refusals</h2><p>Every operation may be refused with these; what else it may answer stands '
        f'with it. A refusal has the form <a href="#form-Problem">Problem</a>.</p>{_table("", rows)}'
    )


def _table(caption: str, rows: str) -> str:
    return f"<table>{f'<caption>{caption}</caption>' if caption else ''}{rows}</table>" if rows else ""


def _schema_as_html(name: str, schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in required else ' <small>optional</small>'}</td><td>{_kind(s)}</td>"
        f"<td>{_prose(s.get('description', ''))}</td></tr>"
        for field, s in schema.get("properties", {}).items()
    )
    # A link that leads into a closed box opens it, one to the box itself does not.
    return (
        f"<details><summary><code>{escape(name)}</code></summary>"
        f'<div id="form-{escape(name)}">{_table("", rows) or _kind(schema)}</div></details>'
    )


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _link(schema)
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(v))}</code>" for v in schema["enum"])
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    kinds = schema.get("type", schema.get("anyOf", schema.get("oneOf", "anything")))
    if isinstance(kinds, list | tuple):
        return " or ".join(_kind(k) if isinstance(k, Mapping) else escape(str(k)) for k in kinds)
    return escape(str(kinds)) + (f" ({escape(str(schema['format']))})" if "format" in schema else "")


def _links(content: Mapping[str, Any]) -> str:
    return " ".join(_link(c["schema"]) for media, c in content.items() if media != PROBLEM)


def _link(schema: Mapping[str, Any]) -> str:
    if "$ref" not in schema:
        return escape(str(schema.get("type", "")))
    name = escape(schema["$ref"].rpartition("/")[2])
    return f'<a href="#form-{name}">{name}</a>'


def _anchor(tag: str) -> str:
    return "tag-" + "".join(c if c.isalnum() else "-" for c in tag.lower())


def _prose(text: str) -> str:
    """Escape a text; what stands between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
