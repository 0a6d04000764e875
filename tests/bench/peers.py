"""The programs that EpSpot is compared with: they run in an environment of their own, ``.venv-bench``.

``make bench`` creates it from requirements/bench.txt. What is asked and what is answered is JSON, so that neither
side's packages bind the other's.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PYTHON = Path(__file__).parents[2] / ".venv-bench" / "bin" / "python"
WORKER = Path(__file__).with_name("acnportal_worker.py")
NOT_THERE = 3
"""The worker's exit status when acnportal can't be imported."""
_TIMEOUT_S = 3600


class NoPeer(Exception):
    """The peer can't be run on this machine; the text says why."""


def ask_acnportal(job: Mapping[str, Any], python: Path = PYTHON) -> Any:
    """Let acnportal do a job (acnportal_worker tells which there are). Raises NoPeer when it isn't installed."""
    if not python.exists():
        raise NoPeer("acnportal is not installed; make bench installs it into .venv-bench")
    command = [str(python), str(WORKER)]
    done = subprocess.run(  # noqa: S603 - our own script
        command, input=json.dumps(job), capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
    if done.returncode == NOT_THERE:
        raise NoPeer(f"acnportal can't be imported: {done.stderr.strip()}")
    if done.returncode:
        raise RuntimeError(f"the acnportal worker failed: {done.stderr}")
    return json.loads(done.stdout)
