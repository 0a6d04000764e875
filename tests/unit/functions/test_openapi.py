"""The API's description is whole, and what is written down of it is what the code says."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from functions.api.calls import resolved
from functions.api.openapi import document, page
from functions.api.operations import OPERATIONS
from functions.api.schemas import SCHEMAS
from tests.unit.functions.asking import Asker

ROOT = Path(__file__).parents[3]


def refs(node: Any) -> set[str]:
    """Collect every reference below a node."""
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*map(refs, node.values()))
    return set().union(*map(refs, node)) if isinstance(node, list) else set()


def test_the_description_in_docs_is_the_one_that_the_code_makes() -> None:
    """Who changes the API sees the change in docs/openapi.json: ``python -m functions.api > docs/openapi.json``."""
    assert json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8")) == json.loads(json.dumps(document()))


def test_every_operation_is_described() -> None:
    """Each operation stands in the description with what it takes and answers."""
    told = json.loads(json.dumps(document()))
    found = {(method.upper(), path): op for path, methods in told["paths"].items() for method, op in methods.items()}
    assert found.keys() == {(op.method, op.path) for op in OPERATIONS}
    for op in OPERATIONS:
        here = found[op.method, op.path]
        assert ("requestBody" in here) == (op.body is not None)
        assert str(op.status) in here["responses"]
        assert (here.get("security") == []) == op.guests


def test_every_reference_leads_somewhere() -> None:
    """No schema is missing, and none is there for nothing."""
    told = json.loads(json.dumps(document()))
    names = {ref.rpartition("/")[2] for ref in refs(told)}
    assert names - set(SCHEMAS) == set()
    assert set(SCHEMAS) - names == set()


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_one(name: str) -> None:
    """Each is a JSON Schema of the draft that OpenAPI 3.1 uses."""
    jsonschema.Draft202012Validator.check_schema(json.loads(json.dumps(resolved(SCHEMAS[name]))))


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: f"{op.method} {op.path}")
def test_what_comes_in_is_bounded(op: Any) -> None:
    """Each text in a body has a longest length, and each list and object a most, unless another system's form is taken."""
    if op.body is None or op.takes != "application/json":
        return
    for path, schema in _texts(json.loads(json.dumps(resolved(SCHEMAS[op.body]))), op.body):
        kinds = schema.get("type")
        if "enum" in schema or "const" in schema:
            continue
        if "string" in (kinds if isinstance(kinds, list) else [kinds]):
            assert "maxLength" in schema or str(schema.get("pattern", "")).endswith("}$"), path
        if kinds == "array":
            assert "maxItems" in schema, path
        if kinds == "object" and schema.get("additionalProperties") is not False:
            assert "maxProperties" in schema, path


def _texts(schema: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(schema, list):
        return [found for n, s in enumerate(schema) for found in _texts(s, f"{path}/{n}")]
    if not isinstance(schema, dict):
        return []
    own = [(path, schema)] if "type" in schema and not isinstance(schema["type"], dict) else []
    return own + [
        found for k, s in schema.items() if k not in ("enum", "required") for found in _texts(s, f"{path}/{k}")
    ]


def test_it_is_served(ask: Asker) -> None:
    """Everybody may read the description, as JSON and as a page without scripts."""
    guest = ask.as_(None)
    assert guest("GET", "/v1/openapi.json").body["openapi"] == "3.1.0"
    told = guest("GET", "/v1/docs")
    assert told.headers["Content-Type"].startswith("text/html")
    assert "<script" not in told.body
    assert all(op.path in told.body for op in OPERATIONS)
    assert page() == told.body
