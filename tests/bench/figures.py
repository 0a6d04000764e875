"""A measured number with its goal, and the file that it goes into."""

import json
import operator
import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build" / "bench"
_RELATIONS: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. ``goal`` is a relation and a number, such as ``<= 10``; None: there is none.

    ``peer`` is the program and version that it was measured on or against; None: EpSpot alone.
    """

    name: str
    value: float
    unit: str
    goal: str | None = None
    peer: str | None = None

    @property
    def met(self) -> bool | None:
        """Tell whether the goal is met; None: there is none."""
        if self.goal is None:
            return None
        relation, number = self.goal.split()
        return _RELATIONS[relation](self.value, float(number))


def machine() -> str:
    """Describe what was measured on: processor, cores, Python."""
    cores = os.cpu_count() or 1
    return f"{_processor()}, {cores} core{'s' * (cores > 1)}, Python {platform.python_version()}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def write(area: str, figures: Iterable[Figure], folder: Path = FOLDER) -> Path:
    """Write an area's file."""
    folder.mkdir(parents=True, exist_ok=True)
    body = {
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "machine": machine(),
        "figures": [asdict(f) | {"met": f.met} for f in figures],
    }
    path = folder / f"{area}.json"
    path.write_text(json.dumps(body, indent=2) + "\n", "utf-8")
    return path
