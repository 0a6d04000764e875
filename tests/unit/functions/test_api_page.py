"""What docs/api.md says of the API is so."""

import re
from pathlib import Path

from functions.api import app
from functions.api.operations import OPERATIONS
from tests.unit.functions.refusals import statuses

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")


def test_the_page_names_every_refusal() -> None:
    """Each code stands there with its status, and none that is not told."""
    told = {code: int(status) for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)` \|", PAGE, re.MULTILINE)}
    # SCIM's own word is told in SCIM's own form, which has no code.
    known = {code: status for code, status in statuses().items() if code != "invalid_scim"}
    assert told == {**known, "internal": 500}


def test_the_page_calls_what_is_there() -> None:
    """Each path in the tour is an operation's."""
    assert app.app.routes
    paths = {re.sub(r"\{\w+\}", "*", op.path) for op in OPERATIONS}
    asked = {re.sub(r"\$\w+", "*", path) for path in re.findall(r'\$API(/v1[^"]*)"', PAGE)}
    assert len(asked) > 10
    assert asked - paths == set()
