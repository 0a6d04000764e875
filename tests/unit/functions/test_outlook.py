"""The handler of the outlook."""

from types import SimpleNamespace

import pytest

from epspot.services.advance import Controller
from epspot.services.refresh_outlook import Outlooks
from functions.outlook import handler as outlook
from tests.fakes import FakeClock, FakeCommands, FakeLives, FakePrices, FakeWeather
from tests.unit.functions.conftest import Logged
from tests.unit.functions.test_handlers import Context
from tests.unit.services.test_refresh_outlook import DEAR, live_of, site_of


def test_an_outlook_says_how_much_it_was(monkeypatch: pytest.MonkeyPatch, logged: Logged) -> None:
    """One line tells how many sites were told and what failed; a silent source fails no invocation."""
    lives = FakeLives()
    lives.create(site_of("s", DEAR), live_of())
    controller = Controller(lives, FakeCommands())
    outlooks = Outlooks(controller, lives.sites, FakePrices(away=True), FakeWeather(), FakeClock())
    monkeypatch.setattr(outlook, "world", lambda: SimpleNamespace(outlooks=outlooks))
    outlook.handler({}, Context())
    (told,) = logged()
    assert (told["message"], told["counts"]) == ("outlook", {"sites_told": 0, "outlooks_failed": 1})
    assert told["failed"] == ["prices SE3: the market is away"]
