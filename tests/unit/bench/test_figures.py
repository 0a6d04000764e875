"""What a measured number looks like in its file."""

import json
from pathlib import Path

import pytest

from tests.bench.figures import Figure, write


def test_a_figure_says_which_peer_it_was_measured_on(tmp_path: Path) -> None:
    """Null for EpSpot's own."""
    figures = [Figure("own", 1.0, "ms"), Figure("theirs", 2.0, "ms", peer="acnportal 0.3.3")]
    written = json.loads(write("area", figures, tmp_path).read_text("utf-8"))["figures"]
    assert [f["peer"] for f in written] == [None, "acnportal 0.3.3"]


@pytest.mark.parametrize(("goal", "met"), [(None, None), ("<= 5", True), ("<= 4", False), (">= 5", True)])
def test_a_goal_is_met_or_not(goal: str | None, *, met: bool | None) -> None:
    """Without a goal there is nothing to meet."""
    assert Figure("x", 5.0, "ms", goal).met is met
