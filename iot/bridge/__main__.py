"""Run the agent of one bridge: ``python -m iot.bridge --config bridge.json``.

The config names the factory that makes the links to the hardware; what it needs stands under ``hardware``::

    {"bridge": "b1", "endpoint": "…", "port": 8883, "prefix": "epspot", "state": "state.json",
     "certificate": "b1.crt", "private_key": "b1.key", "ca": "ca.pem", "main_rating_a": [63, 63, 63],
     "links": "iot.simulator.runner:simulated_links", "hardware": {"bridge": "b1", "modules": [{"id": "M1"}]}}

Paths are relative to the config.
"""

import argparse
import json
import logging
import signal
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from iot.bridge.agent import Agent, AgentSettings
from iot.bridge.core import BridgeSettings
from iot.contract import Topics


def settings(config: dict[str, Any], folder: Path) -> AgentSettings:
    """Read an agent's settings. Raises KeyError with the name of what is missing."""
    rating_a = config.get("main_rating_a")
    return AgentSettings(
        bridge=BridgeSettings(
            bridge=config["bridge"],
            main_rating_a=None if rating_a is None else (rating_a[0], rating_a[1], rating_a[2]),
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


def main() -> None:
    """Run until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m iot.bridge", description="Run the agent of one bridge.")
    parser.add_argument("--config", type=Path, required=True)
    path = parser.parse_args().config
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = json.loads(path.read_text("utf-8"))
    factory_module, _, factory = config["links"].partition(":")
    modules, meter = getattr(import_module(factory_module), factory)(config["hardware"])
    agent = Agent(settings(config, path.parent), modules, meter)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    agent.start()
    stop.wait()
    agent.stop()
    print(agent.status)


if __name__ == "__main__":
    main()
