"""The tour in docs/api.md goes as it is written: its code runs in a shell, against the deployed template."""

import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from infra.local.bridge import power_on
from infra.local.deploy import ROOT
from infra.local.drivers import address_of
from iot.simulator.loads import Car
from tests.system.stage import PATIENCE_S, Cloud

PAGE = ROOT / "docs" / "api.md"
MARK = "<!-- the bridge claims itself here -->"
PATIENCE_IN_ALL_S = 4 * PATIENCE_S
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script(folder: Path) -> str:
    """Put the page's blocks in a row; at the mark the shell tells the code and waits until the bridge is on."""
    page = PAGE.read_text("utf-8")
    assert page.count(MARK) == 1
    before, after = ("\n".join(_BLOCK.findall(part)) for part in page.split(MARK))
    wait = (
        f'echo "$claim" > {folder}/told; mv {folder}/told {folder}/code; until [ -e {folder}/on ]; do sleep 0.1; done\n'
    )
    return f"set -euo pipefail\n{before}{wait}{after}"


class Electrician(threading.Thread):
    """Switches a bridge on with the code that the shell tells, and plugs a car in."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        super().__init__(name="electrician", daemon=True)
        self.cloud = cloud
        self.folder = folder
        self.over = threading.Event()

    def run(self) -> None:
        """Wait for the code, power on, and off when all is over."""
        while not (self.folder / "code").exists():
            if self.over.wait(0.1):
                return
        _, runner = power_on(
            self.cloud.account,
            self.cloud.outputs,
            self.folder / "device",
            (self.folder / "code").read_text().strip(),
            "X1",
        )
        runner.start()
        try:
            runner.plug("X1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
            (self.folder / "on").touch()
            self.over.wait()
        finally:
            runner.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour is in curl")
def test_the_tour(cloud: Cloud, tmp_path: Path) -> None:
    """Every step of the page succeeds, and the last answers are those that it promises."""
    cloud.run("provisioning")
    electrician = Electrician(cloud, tmp_path)
    electrician.start()
    begun = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603 - our own page
            ["bash", "-c", script(tmp_path)],  # noqa: S607 - the shell that a reader has
            env=os.environ | {"API": address_of(cloud.account, cloud.outputs)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_IN_ALL_S,
            check=False,
        )
    finally:
        electrician.over.set()
        electrician.join(PATIENCE_S)
    assert done.returncode == 0, f"after {time.monotonic() - begun:.0f} s: {done.stdout}\n{done.stderr}"
    assert '"state": "ended"' in done.stdout
    for what in ("owner.created", "site.created", "bridge.claimed", "outlet.created", "grant.created"):
        assert what in done.stdout
    assert '"code": "not_found"' in done.stdout
