"""``python -m infra.local.bridge CODE``: a new device with one module and a car at it, for the system that `make run` has started.

It claims itself with the code, connects with the certificate that it gets, and is a bridge until Ctrl-C.
"""

import argparse
import json
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Event
from uuid import uuid4

from rich.console import Console

from infra.local.deploy import ROOT, Outputs
from infra.local.devices import make_claimant
from infra.local.ministack import Account
from iot.bridge.agent import AgentSettings
from iot.bridge.claim import ClaimError, MqttRegistrar, claim
from iot.bridge.core import BridgeSettings
from iot.simulator.loads import Car
from iot.simulator.runner import SimRunner
from iot.simulator.site import ModulePlan, SimSite, SitePlan

MODULE = "X1"
_RUNNING = ROOT / "build" / "run.json"
_NEEDS_WH = 20_000.0


def announce(account: Account, outputs: Outputs) -> None:
    """Let other processes find what runs here."""
    _RUNNING.parent.mkdir(parents=True, exist_ok=True)
    _RUNNING.write_text(json.dumps({"account": account.told, "outputs": asdict(outputs)}), "utf-8")


def withdraw() -> None:
    """Let nobody look for it any more."""
    _RUNNING.unlink(missing_ok=True)


def power_on(
    account: Account, outputs: Outputs, folder: Path, code: str, module: str = MODULE
) -> tuple[str, SimRunner]:
    """Let a device from the factory become a bridge by its code, with one module behind it. Raises ClaimError."""
    device = make_claimant(account, outputs, f"EP-{uuid4()}", folder)
    with MqttRegistrar(device) as registrar:
        became = claim(registrar, device.serial, code, folder / "identity")
    simulated = SimSite(SitePlan([ModulePlan(module, became.bridge, phases=(1,), rcbo_a=16.0)]))
    settings = AgentSettings(
        bridge=BridgeSettings(bridge=became.bridge, main_rating_a=None, wiring=simulated.wiring(became.bridge)),
        endpoint=device.endpoint,
        port=device.port,
        ca=device.ca,
        certificate=became.certificate,
        private_key=became.private_key,
        state=folder / "state.json",
        topics=device.topics,
        reconnect_max_ms=10_000,
    )
    return became.bridge, SimRunner(simulated, [settings])


def main() -> int:
    """Be a bridge until Ctrl-C; 1 if nothing runs, or the code does not do."""
    parser = argparse.ArgumentParser(prog="infra.local.bridge", description="A simulated bridge for `make run`.")
    parser.add_argument("code", help="from POST /v1/sites/{site}/bridges")
    code, console = parser.parse_args().code, Console()
    try:
        running = json.loads(_RUNNING.read_text("utf-8"))
    except FileNotFoundError:
        console.print("Nothing runs on this machine: start it with `make run`, and leave it on.")
        return 1
    with tempfile.TemporaryDirectory(prefix="epspot-bridge-") as folder:
        try:
            bridge, runner = power_on(Account.at(running["account"]), Outputs(**running["outputs"]), Path(folder), code)
        except ClaimError as refusal:
            console.print(str(refusal))
            return 1
        runner.start()
        try:
            runner.plug(MODULE, Car(needs_wh=_NEEDS_WH, phases=1))
            console.print(f"Bridge {bridge} is on, with module {MODULE} and a car plugged in. Ctrl-C ends it.")
            with suppress(KeyboardInterrupt):
                Event().wait()
        finally:
            runner.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
