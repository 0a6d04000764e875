"""One emulated account for all system tests, with the template deployed into it as `make run` does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.deploy import ROOT, deploy, warm_up
from infra.local.ministack import Account
from tests.system.stage import Cloud, Stage

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start an account, deploy, warm up; stop everything when the last test is done."""
    with pytest.MonkeyPatch.context() as environment, Account(log=ROOT / "build" / "system.log") as account:
        # What the SDK of this process reads; put back afterwards, since other tests meet no account.
        environment.setenv("AWS_ENDPOINT_URL", account.endpoint)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        # Functions run on this machine, so that they can read what a test writes.
        outlook = tmp_path_factory.mktemp("outlook")
        sources = {"PricesSource": f"file:{outlook}", "WeatherSource": f"file:{outlook}"}
        # Receivers of webhooks stand on this machine too.
        outputs = deploy(account, parameters=sources | {"WebhooksAllowLoopback": "true"})
        warm_up(account, outputs)
        yield Cloud(account, outputs, account.session(), tmp_path_factory.mktemp("bridges"), outlook)


@pytest.fixture
def stage(cloud: Cloud) -> Iterator[Stage]:
    """Give a test the means to build sites of its own; they are stopped at its end."""
    with Stage(cloud) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, so that ``-m "not system"`` leaves it out, and one process runs it all: there is one account."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.system)
            item.add_marker(pytest.mark.xdist_group("system"))
