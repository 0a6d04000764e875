"""``make run`` as people use it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
SOON_S = 120.0


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Give a folder for temporary files that must be empty again in the end, as must be the list of processes."""
    yield tmp_path
    left = [p.info for p in psutil.process_iter(["pid", "environ", "cmdline"]) if _started_in(p, tmp_path)]
    assert left == []


def _started_in(process: psutil.Process, folder: Path) -> bool:
    environ: dict[str, str] = process.info["environ"] or {}
    return environ.get("TMPDIR", "").startswith(str(folder))


def demo(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "infra.local.demo", *args],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder), "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_ends_by_itself_with_a_summary(temporary: Path) -> None:
    """With --for it replays, lets everybody stop, finds no invariant broken, and leaves no process and no file."""
    process = demo(temporary, "--for", "20")
    said, _ = process.communicate(timeout=2 * SOON_S)
    assert process.returncode == 0, said
    assert re.search(r"starts over the API +│ .*\d+ active", said), said
    assert re.search(r"sessions with current +│ [1-9]", said), said
    assert re.search(r"invariants checked +│ [1-9]\d* states, [1-9]\d* measurements", said), said
    assert "violations                │ 0" in said
    assert list(temporary.iterdir()) == []


def test_ctrl_c_leaves_nothing_behind(temporary: Path) -> None:
    """An interrupt in the middle ends it in order: the summary so far, no process, no file."""
    process = demo(temporary)
    assert process.stdout is not None
    deadline = time.monotonic() + SOON_S
    for line in process.stdout:
        assert time.monotonic() < deadline, line
        if "main fuse" in line:
            break
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=SOON_S)
    assert "Summary" in said
    assert process.returncode == 0, said
    assert list(temporary.iterdir()) == []
