"""How long a cold function takes to import, and how large the packages are."""

import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from infra.local import deploy
from tests.bench.figures import Figure

ROOT = deploy.ROOT
REPEATS = 5
GOALS = {"control": "<= 300"}
PACKAGES = {"functions": "ControlFunction", "domain_layer": "DomainLayer", "dependencies_layer": "DependenciesLayer"}
_IMPORT = """
import sys, time
start = time.perf_counter()
import {module}
print((time.perf_counter() - start) * 1000)
"""


def handlers() -> Iterator[tuple[str, str]]:
    """List functions with the module that Lambda imports."""
    for folder in sorted((ROOT / "functions").iterdir()):
        for file in ("handler", "app"):
            if (folder / f"{file}.py").exists():
                yield folder.name, f"functions.{folder.name}.{file}"


def import_ms(module: str) -> float:
    """Import a module in fresh interpreters; the median time, the interpreter's own start not counted."""
    times = []
    for _ in range(REPEATS + 1):
        command = [sys.executable, "-c", _IMPORT.format(module=module)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)  # noqa: S603 - ourselves
        times.append(float(done.stdout))
    return median(times[1:])  # the first compiles


def measure() -> list[Figure]:
    """Measure every handler that there is, and every package."""
    figures = [Figure(f"import_{f}", round(import_ms(module), 1), "ms", GOALS.get(f)) for f, module in handlers()]
    for name, target in PACKAGES.items():
        size = len(deploy._zip(deploy._build(target))) / 1e6
        figures.append(Figure(f"zipped_{name}", round(size, 3), "MB"))
    return figures
