"""What tests of handlers share."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest

from functions.observability import logger

Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """Give the lines that are logged within the test."""
    handler = logger.registered_handler
    assert hasattr(handler, "setStream")
    told = StringIO()
    before = handler.setStream(told)
    yield lambda: [json.loads(line) for line in told.getvalue().splitlines()]
    handler.setStream(before)
