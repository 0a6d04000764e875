"""Run the agent of one bridge: ``python -m iot.bridge --config bridge.json``.

The config names the factory that makes the links to the hardware; what it needs stands under ``hardware``::

    {"bridge": "b1", "endpoint": "…", "port": 8883, "prefix": "epspot", "state": "state.json",
     "certificate": "b1.crt", "private_key": "b1.key", "ca": "ca.pem", "main_rating_a": [63, 63, 63],
     "links": "iot.simulator.runner:simulated_links", "hardware": {"bridge": "b1", "modules": [{"id": "M1"}]}}

Paths are relative to the config. Optional:

- ``"wiring": {"M1": [1]}``: the feeder phase (0, 1, 2) of each conductor of a module, where it is not straight
- ``"fuses": [{"id": "row-1", "rating_a": [25, 25, 25], "modules": ["M1"]}]``: fuses that the bridge guards by what
  its own modules measure
- ``"meter": {"kind": "p1", "port": "/dev/ttyUSB0"}``: the main meter's customer port, instead of one of the factory's;
  it needs ``main_rating_a``

A device that is no bridge yet has ``claim`` in the place of ``bridge``, ``certificate`` and ``private_key``. It is told a
code once, ``--claim ABCD-EFGH-JKLM``; what it becomes stands in the folder ``identity``, and it runs with that from then on::

    {"claim": {"serial": "EP-1001", "certificate": "claim.crt", "private_key": "claim.key"}, "identity": "identity", …}
"""

import argparse
import json
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from iot.bridge.agent import Agent, AgentSettings
from iot.bridge.claim import ClaimError, ClaimSettings, Identity, MqttRegistrar, claim, load_identity
from iot.bridge.core import BridgeSettings, FuseLimit
from iot.bridge.meters import main_meter
from iot.contract import Currents, Topics


def settings(config: dict[str, Any], folder: Path) -> AgentSettings:
    """Read an agent's settings. Raises KeyError with the name of what is missing."""
    own = identity(config, folder)
    has_rating = "main_rating_a" in config or "meter" in config
    return AgentSettings(
        bridge=BridgeSettings(
            bridge=own.bridge,
            main_rating_a=_rating_a(config["main_rating_a"]) if has_rating else None,
            fuses=tuple(
                FuseLimit(f["id"], _rating_a(f["rating_a"]), tuple(f["modules"])) for f in config.get("fuses", ())
            ),
            wiring={m: tuple(phases) for m, phases in config.get("wiring", {}).items()},
        ),
        certificate=own.certificate,
        private_key=own.private_key,
        state=folder / config["state"],
        **_broker(config, folder),
    )


def claim_settings(config: dict[str, Any], folder: Path) -> ClaimSettings:
    """Read how to claim. Raises KeyError with the name of what is missing."""
    told = config["claim"]
    return ClaimSettings(
        serial=told["serial"],
        certificate=folder / told["certificate"],
        private_key=folder / told["private_key"],
        **_broker(config, folder),
    )


def identity(config: dict[str, Any], folder: Path) -> Identity:
    """Find who this bridge is: as the config says, or as it was claimed. Raises KeyError if neither is known."""
    claimed = None if "bridge" in config else load_identity(_identity_folder(config, folder))
    return claimed or Identity(config["bridge"], folder / config["certificate"], folder / config["private_key"])


def _identity_folder(config: dict[str, Any], folder: Path) -> Path:
    return folder / str(config.get("identity", "identity"))


def _broker(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        "endpoint": config["endpoint"],
        "port": config.get("port", 8883),
        "topics": Topics(config.get("prefix", "epspot")),
        "ca": folder / config["ca"] if "ca" in config else None,
    }


def _rating_a(phases: Sequence[float]) -> Currents:
    return phases[0], phases[1], phases[2]


def become(config: dict[str, Any], folder: Path, code: str) -> str:
    """Claim this bridge if it is none yet, and say what came of it. Raises ClaimError, or KeyError as `claim_settings`."""
    known = load_identity(_identity_folder(config, folder))
    if known is not None or "bridge" in config:
        return f"This is the bridge {identity(config, folder).bridge} already; the code has not been used."
    told = claim_settings(config, folder)
    with MqttRegistrar(told) as registrar:
        made = claim(registrar, told.serial, code, _identity_folder(config, folder))
    return f"This is the bridge {made.bridge} from now on."


def main() -> None:
    """Claim if a code is given, then run until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m iot.bridge", description="Run the agent of one bridge.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--claim", metavar="CODE", help="become a bridge with this code, unless it is one already")
    asked = parser.parse_args()
    path = asked.config
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = json.loads(path.read_text("utf-8"))
    try:
        if asked.claim is not None:
            print(become(config, path.parent, asked.claim), flush=True)
        told = settings(config, path.parent)
    except ClaimError as error:
        sys.exit(str(error))
    except KeyError as missing:
        sys.exit(f"{path} lacks {missing}. What is no bridge yet is told its code once: --claim ABCD-EFGH-JKLM")
    factory_module, _, factory = config["links"].partition(":")
    hardware = {"bridge": told.bridge.bridge} | config["hardware"]
    modules, meter = getattr(import_module(factory_module), factory)(hardware)
    if "meter" in config:
        meter = main_meter(config["meter"])
    agent = Agent(told, modules, meter)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    agent.start()
    stop.wait()
    agent.stop()
    print(agent.status)


if __name__ == "__main__":
    main()
