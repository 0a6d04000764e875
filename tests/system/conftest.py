"""One emulated account for all system tests, with the template deployed into it as `make run` does."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.deploy import ROOT, Outputs, deploy, warm_up
from infra.local.devices import BridgeFiles, register_bridge
from infra.local.ministack import Account

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Cloud:
    """The deployed system."""

    account: Account
    outputs: Outputs
    session: boto3.Session
    folder: Path

    def client(self, service: str) -> Any:
        """Make a client of one AWS service, signed in as the account's root."""
        return self.account.client(service)

    def bridge(self, name: str) -> BridgeFiles:
        """Register a bridge; its name must be new."""
        return register_bridge(self.account, self.outputs, name, self.folder)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start an account, deploy, warm up; stop everything when the last test is done."""
    with Account(log=ROOT / "build" / "system.log") as account:
        outputs = deploy(account)
        warm_up(account, outputs)
        yield Cloud(account, outputs, account.session(), tmp_path_factory.mktemp("bridges"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, so that ``-m "not system"`` leaves it out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.system)
