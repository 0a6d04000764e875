"""What stands in two places stands there alike: routes and template, errors and statuses, facts and their readers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from epspot import control, errors
from epspot.control import effects
from epspot.control.state import Phase
from epspot.notices.alarms import CATALOGUE
from epspot.services import note_session
from functions.api.app import app
from functions.api.errors import STATUSES, status_of
from functions.api.operations import OPERATIONS
from infra.local import screen

ROOT = Path(__file__).parents[2]
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
MESSAGING = yaml_parse((ROOT / "infra" / "messaging.yaml").read_text(encoding="utf-8"))


# ------------------------------------------------------------------ routes


def test_the_gateway_passes_everything_on() -> None:
    """Events let every path and method through, without an authorizer: who calls is found out in one place."""
    told = TEMPLATE["Resources"]["ApiFunction"]["Properties"]["Events"].values()
    events = [e["Properties"] for e in told if e["Type"] == "Api"]
    assert {(e["Path"], "Auth" in e) for e in events} == {("/{proxy+}", False)}
    assert {e["Method"] for e in events} == {op.method for op in OPERATIONS} | {"PATCH", "DELETE", "OPTIONS"}
    assert "Auth" not in TEMPLATE["Resources"]["Api"]["Properties"]


def test_every_operation_is_a_route() -> None:
    """Chalice knows exactly the operations, all under the version's own path."""
    routes = {(method, path) for path, methods in app.routes.items() for method in methods}
    assert routes == {(op.method, op.path) for op in OPERATIONS}
    assert all(path.startswith("/v1/") for _, path in routes)


# ------------------------------------------------------------------ errors


def family(kind: type[errors.Refusal]) -> Iterator[type[errors.Refusal]]:
    """List a refusal and all that are kinds of it."""
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


REFUSALS = [kind for kind in family(errors.Refusal) if kind is not errors.Refusal]


@pytest.mark.parametrize("kind", REFUSALS)
def test_every_refusal_has_a_code_and_a_status(kind: type[errors.Refusal]) -> None:
    """A program can tell each refusal by its code, and its status is that of a refusal."""
    assert "code" in vars(kind)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    error = kind(["a problem"]) if kind is errors.InvalidSite else kind("a problem")
    assert status_of(error) in {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 503}
    assert kind in STATUSES or any(issubclass(kind, other) for other in STATUSES) or status_of(error) == 400


def test_codes_are_unique() -> None:
    """No two refusals share a code."""
    codes = [kind.code for kind in REFUSALS]
    assert len(set(codes)) == len(codes)


def test_the_tree_of_errors_is_the_one_that_is_drawn() -> None:
    """The drawing at the top of the errors names every error, and the code beside it; the API's own stay with the API."""
    drawn = dict(re.findall(r"(\w+) +([a-z_]+)$", errors.__doc__ or "", re.MULTILINE))
    ours = {kind.__name__: kind.code for kind in REFUSALS if kind.__module__ == errors.__name__}
    assert ours.items() <= drawn.items()


# ------------------------------------------------------------------ facts


def told() -> set[str]:
    """Find every kind of fact that the controller tells."""
    kinds = set()
    for path in Path(str(control.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("draft.tell", "_tell"):
                said = [a.value for a in node.args if isinstance(a, ast.Constant)]
                kinds |= {str(k) for k in said if re.fullmatch(r"[a-z]+\.[a-z_]+", str(k))}
    return kinds


def test_every_fact_is_listed() -> None:
    """The list of facts names exactly those that are told."""
    assert set(re.findall(r"``([a-z]+\.[a-z_]+)``", effects.Fact.__doc__ or "")) == told()


def test_every_fact_about_a_session_is_noted() -> None:
    """The history knows what each fact about a session means, and the rule of the bus lets it through."""
    sessions = {kind for kind in told() if kind.startswith("session.")}
    assert sessions == set(note_session._PHASES)
    pattern = MESSAGING["Resources"]["HistoryRule"]["Properties"]["EventPattern"]
    assert pattern == {"source": ["epspot"], "detail-type": [{"prefix": "session."}]}


def test_the_manual_lists_every_alarm() -> None:
    """docs/control.md has a line for each code of the catalogue, with its severity, and for no other."""
    manual = (ROOT / "docs" / "control.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `([a-z_]+)` \|[^|\n]+\|[^|\n]+\| (\w+) \|[^|\n]+\|[^|\n]+\|$", manual, re.MULTILINE))
    assert listed == {code: entry.severity.value for code, entry in CATALOGUE.items()}


def test_the_screen_can_show_every_phase() -> None:
    """Whatever somebody asks of a session while the demo is on, the screen has a colour for it."""
    assert screen._COLOURS.keys() == {*Phase}
