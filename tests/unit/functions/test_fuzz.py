"""Whatever is asked, the API answers as its description says: the requests are made from the description itself.

Each is asked by a guest, a driver, another system and an administrator, of a house that has one of everything. They
are the same requests in every run.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from epspot.access import Role
from epspot.registry.kinds import Put
from epspot.registry.records import OWNER, Owner
from functions.api import calls, errors, operations
from functions.api.openapi import document
from functions.observability import logger
from tests import gateway
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import OWNER_ID, grant
from tests.unit.functions.refusals import statuses
from tests.unit.services.house import House

EXAMPLES = 15
API = "http://api.invalid"
_CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
_SCHEMA = schemathesis.openapi.from_dict(json.loads(json.dumps(document())))
_SCHEMA.config.generation.update(with_security_parameters=False)  # who asks is our affair
_OPERATIONS: list[Any] = [_found.ok() for _found in _SCHEMA.get_all_operations() if isinstance(_found, Ok)]


_SOUND = {"url": "https://example.com/", "scope": "site/s", "fuse": "main", "bridge": "s-b1", "module": "M1"}
"""What fields must hold that any text would fit by their form."""


@dataclass(frozen=True)
class Furnished:
    """A house that has one of everything, who may ask in it, and what the things are called."""

    house: House
    callers: Mapping[str, str | None]
    known: Mapping[str, str]
    """By the names of parameters in paths and fields in bodies."""


@cache
def furnished() -> Furnished:
    """Furnish a house, once; nobody may change it: ask in copies."""
    house = House().open(owner=OWNER_ID)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "world", lambda: house)
        return _furnish(house)


def _furnish(house: House) -> Furnished:
    house.registry.commit([Put(OWNER, None, Owner(OWNER_ID, "Garden"))])
    grant(house, "user:olga", Role.OWNER_ADMIN, f"owner/{OWNER_ID}")
    grant(house, "user:anna", Role.USER, "site/s")
    driver, admin, of = Asker(house, "anna"), Asker(house, "olga"), f"/v1/owners/{OWNER_ID}"
    right = {"name": "Parking", "capabilities": ["use", "view", "maintain", "administer"]}
    role = {"role": "user", "scope": "site/s"}
    made = {
        "session": driver("POST", "/v1/sessions", {"outlet": "s-1"}),
        "vehicle": driver("POST", "/v1/me/vehicles", {"name": "Car", "phases": 3, "max_a": 16}),
        "webhook": admin("POST", f"{of}/webhooks", {"url": "https://example.com/", "events": ["session.started"]}),
        "token": admin("POST", f"{of}/tokens", right),
        "grant": admin("POST", f"{of}/grants", role | {"subject": {"user": "bo"}}),
        "user_group": admin("POST", f"{of}/user-groups", {"name": "Night"}),
        "code_id": admin("POST", f"{of}/access-codes", role | {"uses": 3, "ends_at": "2027-03-01T00:00:00Z"}),
        "id": admin("PUT", f"{of}/members/emp-1", {"email": "bo@example.com", "name": "Bo"}),
    }
    assert {told.status for told in made.values()} == {201}, made
    known = {name: told.body["id"] for name, told in made.items()}
    sent = admin("POST", f"{of}/webhooks/{known['webhook']}/test")
    known |= {"owner": OWNER_ID, "site": "s", "outlet": "s-2", "revision": "1", "external_id": "emp-1"}
    callers = {"guest": None, "driver": "anna", "system": made["token"].body["token"], "administrator": "olga"}
    return Furnished(house, callers, known | {"delivery": sent.body["id"]})


@pytest.fixture
def silent() -> Iterator[None]:
    """Keep the log lines of thousands of requests away."""
    logger.setLevel("CRITICAL")
    yield
    logger.setLevel("INFO")


# ------------------------------------------------------------------ requests


def _cases(operation: Any) -> st.SearchStrategy[Any]:
    """Make requests of an operation: sound and unsound ones, mostly about things that are there."""
    known = furnished().known
    here = {p.name: known[p.name] for p in operation.path_parameters if p.name in known}
    anything = {"If-Match": "*"} if any(p.name == "If-Match" for p in operation.headers) else {}
    sound, unsound = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    return st.one_of(
        operation.as_strategy(sound, path_parameters=here, headers=anything).map(_about_known),
        operation.as_strategy(sound, path_parameters=here),
        operation.as_strategy(sound),
        operation.as_strategy(unsound, path_parameters=here, headers=anything),
    )


def _about_known(case: Any) -> Any:
    """Name what is there, where a sound request names something: ids, addresses and a part of the map."""
    named = {**furnished().known, **_SOUND}
    if isinstance(case.body, dict):
        case.body |= {name: value for name, value in named.items() if isinstance(case.body.get(name), str)}
    if {"distance_m", "west"} <= {p.name for p in case.operation.query}:
        case.query = {"latitude": "59.3", "longitude": "18.1", "distance_m": "500"}
    return case


def test_every_operation_is_asked() -> None:
    """None is left out because its description can't be read."""
    assert len(_OPERATIONS) == len(operations.OPERATIONS)


@pytest.mark.parametrize("operation", _OPERATIONS, ids=lambda op: op.label)
@pytest.mark.usefixtures("silent")
def test_it_answers_as_it_is_described(operation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request makes a fault of ours, and every answer has a status, a form and headers that are told."""
    here = furnished()
    now = [here.house]
    monkeypatch.setattr(calls, "world", lambda: now[0])

    @given(_cases(operation))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: Any) -> None:
        now[0] = deepcopy(here.house)
        for caller, shows in here.callers.items():
            _check(caller, case, _sent(case, shows))

    try:
        answers()
    except Unsatisfiable:
        # What takes nothing can be asked in one way only.
        assert not operation.definition.raw.get("parameters")


def _sent(case: Any, shows: str | None) -> Response:
    """Ask as somebody."""
    told = case.as_transport_kwargs(base_url=API, headers={} if shows is None else {"Authorization": f"Bearer {shows}"})
    told.pop("cookies", None)
    try:
        request = requests.Request(**told).prepare()
    except ValueError:
        assume(False)  # not HTTP
        raise
    body: Any = request.body.encode() if isinstance(request.body, str) else request.body
    sent = {name: str(value) for name, value in request.headers.items()}
    status, headers, text = gateway.ask(request.method or "", request.url or "", sent, body)
    return Response(status, {n.lower(): [v] for n, v in headers.items()}, text.encode(), request, 0.0, verify=False)


def _check(caller: str, case: Any, response: Response) -> None:
    """See whether an answer is what the description tells."""
    request = response.request
    what = f"{caller}: {request.method} {request.url} {request.body!r}: {response.status_code} {response.text}"
    assert response.headers["x-request-id"], what
    assert response.headers["x-content-type-options"] == ["nosniff"], what
    if response.headers.get("content-type") == [errors.PROBLEM]:
        told = response.json()
        assert response.status_code == statuses().get(told["code"]), what  # a fault of ours has no code that is told
        assert told["status"] == response.status_code, what
    elif response.headers.get("content-type") == ["application/scim+json"] and response.status_code >= 400:
        assert response.json()["status"] == str(response.status_code), what
        assert response.status_code < 500, what
    else:
        assert response.status_code < 400, what
    case.validate_response(response, checks=_CHECKS)
