"""The client in docs/examples/client does what its README says, against the API in memory."""

import importlib.util
import sys
from email.message import Message
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPHandler, Request, build_opener
from urllib.response import addinfourl

import pytest

from tests import gateway
from tests.unit.functions.conftest import OWNER_ID
from tests.unit.services.house import House

FILE = Path(__file__).parents[3] / "docs" / "examples" / "client" / "epspot_client.py"
VEHICLES = "/v1/me/vehicles"
CAR = {"name": "Car", "phases": 3, "max_a": 16}


class Wire(HTTPHandler):
    """Leads to the API in this process; ``lost`` answers never arrive, though their requests are carried out."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0
        self.asked: list[tuple[str, str]] = []

    def http_open(self, req: Request) -> Any:
        """Ask."""
        headers = {name.title(): value for name, value in req.header_items()}
        self.asked.append((req.get_method(), req.selector))
        body = req.data if isinstance(req.data, bytes) else None
        status, told, text = gateway.ask(req.get_method(), req.full_url, headers, body)
        if self.lost:
            self.lost -= 1
            raise URLError("connection reset")
        message = Message()
        for name, value in told.items():
            message[name] = value
        answer = addinfourl(BytesIO(text.encode()), message, req.full_url, status)
        vars(answer)["msg"] = HTTPStatus(status).phrase
        return answer


@pytest.fixture(scope="module")
def client_module() -> ModuleType:
    """Load the example, which is no part of any package."""
    spec = importlib.util.spec_from_file_location("epspot_client", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["epspot_client"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wire() -> Wire:
    """Give the way to the API."""
    return Wire()


@pytest.fixture
def slept() -> list[float]:
    """Tell how long the client has waited."""
    return []


@pytest.fixture
def anna(client_module: ModuleType, house: House, wire: Wire, slept: list[float]) -> Any:
    """Sign in as a driver."""
    assert house.clock.at
    nobody = client_module.Client("http://api.invalid", opener=build_opener(wire), sleep=slept.append)
    return nobody.sign_in("anna@example.com", "right")


def test_what_is_made_is_made_once(anna: Any, wire: Wire, slept: list[float]) -> None:
    """When answers get lost it asks again with the same key, a little later each time."""
    wire.lost = 2
    made = anna.create(VEHICLES, CAR)
    assert [c["id"] for c in anna.pages(VEHICLES)] == [made["id"]]
    assert slept == [1, 2]


def test_it_gives_up_after_some_attempts(anna: Any, wire: Wire, slept: list[float]) -> None:
    """What never answers is told as it is."""
    wire.lost = 99
    with pytest.raises(URLError):
        anna.read("/v1/me")
    assert slept == [1, 2, 3]


def test_a_change_is_made_again_if_somebody_else_was_faster(anna: Any) -> None:
    """It reads and edits anew, so that neither change is lost."""
    here = f"{VEHICLES}/{anna.create(VEHICLES, CAR)['id']}"
    seen = []

    def edit(car: dict[str, Any]) -> dict[str, Any]:
        seen.append(car["name"])
        if len(seen) == 1:
            anna.change(here, lambda other: {**CAR, "max_a": other["max_a"] + 4})
        return {"name": "Saab", "phases": 3, "max_a": car["max_a"]}

    changed = anna.change(here, edit)
    assert (changed["name"], changed["max_a"]) == ("Saab", 20)
    assert seen == ["Car", "Car"]
    anna.remove(here)
    assert list(anna.pages(VEHICLES)) == []


def test_a_list_of_any_length_is_gone_through(client_module: ModuleType, house: House, wire: Wire) -> None:
    """Pages are fetched until there is none, and no earlier than they are needed."""
    assert house.clock.at
    olga = client_module.Client("http://api.invalid", "olga", opener=build_opener(wire))
    groups = f"/v1/owners/{OWNER_ID}/user-groups"
    made = [olga.create(groups, {"name": f"group {n}"})["id"] for n in range(3)]
    pages = olga.pages(groups, limit=2)
    before = len(wire.asked)
    first = next(pages)["id"]
    assert len(wire.asked) == before + 1
    assert sorted([first, *(g["id"] for g in pages)]) == sorted(made)
    assert len(wire.asked) == before + 2


def test_a_refusal_says_what_to_do(client_module: ModuleType, anna: Any) -> None:
    """It has the stable code, and the text in the caller's language."""
    with pytest.raises(client_module.Refused) as told:
        anna.create("/v1/sessions", {"outlet": "nowhere"})
    assert (told.value.status, told.value.code) == (404, "not_found")
    assert told.value.detail
    assert told.value.request_id
