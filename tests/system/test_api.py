"""What the API refuses, how, and to whom."""

import base64
import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from infra.local.drivers import Api, ApiError, address_of, enrol
from iot.simulator.loads import Car
from tests.system.stage import Cloud, Place, Stage, outlet, refused


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Iterator[Place]:
    """One site for all that is refused here; each test has its own outlet of it and its own users."""
    with Stage(cloud) as stage:
        yield stage.place("api", *(outlet("api", n) for n in range(1, 7))).start()


def test_the_same_request_again(place: Place) -> None:
    """A repeated request gets its session again, also when that has ended; its key means no other outlet."""
    anna, key = place.user("same"), str(uuid4())
    place.runner.plug("M1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
    first = anna.start(place.outlet(1), key)
    again = anna.start(place.outlet(1), key)
    assert (again["id"], again["requested_at"]) == (first["id"], first["requested_at"])
    assert refused(anna.start, place.outlet(2), key) == (422, "idempotency_key_reused")
    anna.stop(first["id"])
    place.until(anna, first["id"], "ended")
    assert anna.start(place.outlet(1), key)["state"] == "ended"
    assert [kept["id"] for kept in anna.history()] == [first["id"]]


def test_an_outlet_in_use(place: Place) -> None:
    """An outlet with a session is refused to everyone, its own user included."""
    anna, bo = place.user("first"), place.user("second")
    anna.start(place.outlet(3))
    assert refused(bo.start, place.outlet(3)) == (409, "outlet_occupied")
    assert refused(anna.start, place.outlet(3)) == (409, "outlet_occupied")
    assert bo.history() == []


def test_an_unknown_outlet(place: Place) -> None:
    """An outlet that does not exist is not found, whatever it is called."""
    anna = place.user("unknown")
    for name in ("api-99", "SITES", "å/../#", "x" * 64):
        assert refused(anna.start, name) == (404, "not_found")
    assert refused(anna.start, "x" * 65) == (400, "invalid_request")


def test_an_outlet_that_was_never_heard_of(place: Place, cloud: Cloud) -> None:
    """An outlet whose bridge has never connected is listed as offline and can't be started."""
    with Stage(cloud) as stage:
        site = stage.deserted("desert", outlet("desert", 1))
    anna = place.user("offline")
    (listed,) = anna.outlets(site.id)
    assert (listed["id"], listed["state"], listed["number"]) == ("desert-1", "offline", "1")
    assert refused(anna.start, "desert-1") == (503, "outlet_offline")
    assert anna.history() == []


def test_a_session_that_is_over(place: Place) -> None:
    """Who stops again, pauses, resumes or changes, while it stops or afterwards, is told that it is over."""
    anna = place.user("over")
    place.runner.plug("M4", Car(needs_wh=100_000.0, phases=1))
    session = anna.start(place.outlet(4))["id"]
    place.charging(anna, session)
    anna.stop(session)
    calls = (anna.stop, anna.pause, anna.resume, anna.change)
    assert [refused(call, session) for call in calls] == [(409, "session_over")] * 4
    place.until(anna, session, "ended")
    assert [refused(call, session) for call in calls] == [(409, "session_over")] * 4


def test_the_session_of_another(place: Place) -> None:
    """Nobody sees, changes, stops or lists the session of another, or learns that it exists."""
    anna, bo = place.user("owner"), place.user("other")
    session = anna.start(place.outlet(5))["id"]
    for unknown in (session, "0" * 26, "SESSION"):
        for call in (bo.session, bo.stop, bo.pause, bo.resume, bo.change):
            assert refused(call, unknown) == (404, "session_unknown")
    assert bo.history() == []
    assert anna.session(session)["state"] in ("active", "queued")


def test_who_is_not_signed_in(cloud: Cloud, place: Place) -> None:
    """Without a token, with a forged one, and with an access token, nobody gets in."""
    email = place.email("token")
    password = enrol(cloud.account, cloud.outputs, email)
    made = cloud.client("cognito-idp").initiate_auth(
        ClientId=cloud.outputs.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": password},
    )["AuthenticationResult"]
    address = address_of(cloud.account, cloud.outputs)
    assert Api(address, made["IdToken"]).history() == []

    head, body, signature = made["IdToken"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = "somebody-else"
    other = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    forged = [None, "", "nonsense", f"{head}.{other}.{signature}", f"{unsigned}.{other}.", f"{head}.{body}."]
    calls = [
        ("GET", "/v1/sessions"),
        ("POST", "/v1/sessions"),
        ("GET", "/v1/sites/api/outlet-states"),
        ("PUT", "/v1/sessions/x/wishes"),
    ]
    calls += [("POST", f"/v1/sessions/x/{what}") for what in ("stop", "pause", "resume")]
    for token in forged:
        for method, path in calls:
            status, code = refused(Api(address, token).call, method, path)
            assert (status, code) == (401, "not_signed_in"), (token, path)
    access = Api(address, made["AccessToken"])
    for method, path in calls:
        assert refused(access.call, method, path)[0] == 401


def test_signing_in(cloud: Cloud, place: Place) -> None:
    """A wrong password and an unknown user are told alike; an address may be written in any case."""
    password = enrol(cloud.account, cloud.outputs, place.email("door"))
    anyone = cloud.anyone()
    assert anyone.sign_in(place.email("Door").upper(), password).history() == []
    wrong = refused(anyone.sign_in, place.email("door"), "Wrong-1-password")
    unknown = refused(anyone.sign_in, "nobody@example.com", password)
    assert wrong == unknown == (401, "not_signed_in")


def test_what_is_no_request(cloud: Cloud, place: Place) -> None:
    """Paths that don't exist, bodies that aren't JSON and missing headers are answered in the API's own form."""
    anna = place.user("form")
    assert refused(anna.call, "GET", "/v1/nowhere") == (404, "no_such_operation")
    assert refused(anna.call, "GET", "/nowhere") == (404, "no_such_operation")
    assert refused(anna.call, "POST", "/v1/sessions", [1], {"Idempotency-Key": "k"}) == (400, "invalid_request")
    assert refused(anna.call, "POST", "/v1/sessions", {"outlet": 7}, {"Idempotency-Key": "k"})[0] == 400
    assert refused(anna.call, "POST", "/v1/sessions", {"outlet": "api-6"}) == (400, "invalid_request")
    assert refused(anna.start, "api-6", "k" * 101) == (400, "invalid_request")
    assert refused(lambda: anna.start("api-6", warm=True)) == (400, "invalid_request")
    assert refused(lambda: anna.start("api-6", until_wh=0)) == (400, "invalid_request")
    with pytest.raises(ApiError, match=r"^400 invalid_request: Ange med ready_by när det ska vara klart\.$"):
        anna.call(
            "POST",
            "/v1/sessions",
            {"outlet": "api-6", "cheapest": True},
            {"Idempotency-Key": "k", "Accept-Language": "sv"},
        )
    assert anna.history() == []
    assert cloud.anyone().call("GET", "/v1/health") == {"status": "ok"}
