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
"""

import argparse
import json
import logging
import signal
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from iot.bridge.agent import Agent, AgentSettings
from iot.bridge.core import BridgeSettings, FuseLimit
from iot.bridge.meters import main_meter
from iot.contract import Currents, Topics


def settings(config: dict[str, Any], folder: Path) -> AgentSettings:
    """Read an agent's settings. Raises KeyError with the name of what is missing."""
    has_rating = "main_rating_a" in config or "meter" in config
    return AgentSettings(
        bridge=BridgeSettings(
            bridge=config["bridge"],
            main_rating_a=_rating_a(config["main_rating_a"]) if has_rating else None,
            fuses=tuple(
                FuseLimit(f["id"], _rating_a(f["rating_a"]), tuple(f["modules"])) for f in config.get("fuses", ())
            ),
            wiring={m: tuple(phases) for m, phases in config.get("wiring", {}).items()},
        ),
        endpoint=config["endpoint"],
        port=config.get("port", 8883),
        topics=Topics(config.get("prefix", "epspot")),
        certificate=folder / config["certificate"],
        private_key=folder / config["private_key"],
        ca=folder / config["ca"] if "ca" in config else None,
        state=folder / config["state"],
    )


def _rating_a(phases: Sequence[float]) -> Currents:
    return phases[0], phases[1], phases[2]


def main() -> None:
    """Run until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m iot.bridge", description="Run the agent of one bridge.")
    parser.add_argument("--config", type=Path, required=True)
    path = parser.parse_args().config
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = json.loads(path.read_text("utf-8"))
    factory_module, _, factory = config["links"].partition(":")
    modules, meter = getattr(import_module(factory_module), factory)(config["hardware"])
    told = settings(config, path.parent)
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
