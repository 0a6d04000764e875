"""People who come by themselves, as an app would let them in, and systems that are let in with a token."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import jwt
import urllib3

from epspot.access import Grant, Role
from epspot.access.subjects import email_subject
from epspot.registry.kinds import Put
from epspot.registry.records import GRANT, OWNER, Owner
from infra.local.drivers import Api, address_of
from tests.system.stage import Cloud, Stage, refused, wait_for

PASSWORD = "three-words-and-1-digit"


def mails(cloud: Cloud, email: str) -> list[dict[str, Any]]:
    """Read the mails to an address, the newest last."""
    told = json.loads(urllib3.request("GET", f"{cloud.account.endpoint}/_ministack/ses/messages").data)
    return [m for per_account in told["messages"].values() for m in per_account if email in m["To"]]


def code_to(cloud: Cloud, email: str, after: int = 0) -> str:
    """Read the code in the newest mail to an address, once there are more than ``after`` of them."""
    wait_for("the mail is there", lambda: len(mails(cloud, email)) > after)
    newest = mails(cloud, email)[-1]
    found = re.search(r"\b\d{6}\b", newest.get("BodyText") or newest["BodyHtml"])
    assert found is not None
    return found[0]


def newcomer(cloud: Cloud, who: str, **more: str) -> tuple[str, Api]:
    """Sign up somebody new, and confirm the address."""
    email, anyone = f"{who}.{uuid4().hex[:8]}@example.com", cloud.anyone()
    begun = anyone.call("POST", "/v1/sign-up", {"email": email, "language": "en", **more})
    confirm = {"email": email, "session": begun["session"], "code": code_to(cloud, email)}
    anyone.call("POST", "/v1/sign-up/confirm", confirm)
    return email, anyone


def by_code(cloud: Cloud, email: str) -> Api:
    """Sign in with a code from a mail."""
    anyone, before = cloud.anyone(), len(mails(cloud, email))
    begun = anyone.call("POST", "/v1/sign-in/code", {"email": email})
    said = {"email": email, "session": begun["session"], "code": code_to(cloud, email, before)}
    tokens = anyone.call("POST", "/v1/sign-in/code/confirm", said)
    return Api(address_of(cloud.account, cloud.outputs), tokens["id_token"])


def test_with_a_password(cloud: Cloud) -> None:
    """Who has signed up and read the mail signs in, changes the password by mail, and signs out."""
    email, anyone = newcomer(cloud, "paula", password=PASSWORD, name="Paula")
    me = anyone.sign_in(email, PASSWORD)
    assert me.call("GET", "/v1/me") | {"id": "", "notify": {}} == {
        "id": "",
        "email": email,
        "name": "Paula",
        "language": "en",
        "notify": {},
    }
    anyone.call("POST", "/v1/password/forgot", {"email": email})
    reset = {"email": email, "code": code_to(cloud, email, 1), "password": "other-words-and-2"}
    anyone.call("POST", "/v1/password/reset", reset)
    assert refused(anyone.sign_in, email, PASSWORD) == (401, "not_signed_in")
    tokens = anyone.call("POST", "/v1/sign-in", {"email": email, "password": "other-words-and-2"})
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert anyone.call("POST", "/v1/sign-in/refresh", refresh)["id_token"]
    anyone.call("POST", "/v1/sign-out", refresh)
    assert refused(anyone.call, "POST", "/v1/sign-in/refresh", refresh) == (401, "not_signed_in")


def test_with_a_code(cloud: Cloud) -> None:
    """Who has no password signs in with a code, in three tries, and in the language of the profile."""
    email, anyone = newcomer(cloud, "cora")
    before = len(mails(cloud, email))
    begun = anyone.call("POST", "/v1/sign-in/code", {"email": email.upper()})
    right = code_to(cloud, email, before)
    assert "Your code to sign in" in mails(cloud, email)[-1]["BodyText"]
    said = {"email": email, "session": begun["session"], "code": "000000" if right != "000000" else "000001"}
    confirm = ("POST", "/v1/sign-in/code/confirm")
    assert refused(anyone.call, *confirm, said) == (401, "not_signed_in")
    assert len(mails(cloud, email)) == before + 1
    tokens = anyone.call(*confirm, said | {"code": right})
    assert refused(anyone.call, *confirm, said | {"code": right}) == (401, "not_signed_in")
    me = Api(address_of(cloud.account, cloud.outputs), tokens["id_token"])
    choices = dict.fromkeys(["session_started", "session_ended", "queue", "warnings"], "mail")
    me.call("PUT", "/v1/me", {"language": "sv", "notify": choices}, {"If-Match": "*"})
    assert by_code(cloud, email).call("GET", "/v1/me")["notify"] == choices
    assert "Din kod för att logga in" in mails(cloud, email)[-1]["BodyText"]

    begun = anyone.call("POST", "/v1/sign-in/code", {"email": email})
    right = code_to(cloud, email, before + 2)
    said |= {"session": begun["session"], "code": "000000" if right != "000000" else "000001"}
    assert {refused(anyone.call, *confirm, said) for _ in range(3)} == {(401, "not_signed_in")}
    assert refused(anyone.call, *confirm, said | {"code": right}) == (401, "not_signed_in")


def test_nobody_learns_who_is_there(cloud: Cloud) -> None:
    """An address that is known, one that is not and one that is not confirmed are answered alike, in every call."""
    known, anyone = newcomer(cloud, "karin", password=PASSWORD)
    unknown, begun = f"{uuid4().hex}@example.com", f"{uuid4().hex}@example.com"
    anyone.call("POST", "/v1/sign-up", {"email": begun, "language": "sv", "password": PASSWORD})
    for email in (known, unknown, begun):
        assert anyone.call("POST", "/v1/sign-in/code", {"email": email}).keys() == {"session"}
        assert not anyone.call("POST", "/v1/password/forgot", {"email": email})
        assert not anyone.call("POST", "/v1/sign-up/resend", {"email": email})
        wrong = {"email": email, "session": "x" * 43, "code": "999999"}
        assert refused(anyone.call, "POST", "/v1/sign-up/confirm", wrong) == (400, "wrong_code")
        assert refused(anyone.call, "POST", "/v1/sign-in/code/confirm", wrong) == (401, "not_signed_in")
        assert refused(anyone.sign_in, email, "a-wrong-password-1") == (401, "not_signed_in")
        said = {"email": email, "language": "sv", "password": "another-password-1"}
        assert anyone.call("POST", "/v1/sign-up", said).keys() == {"session"}
    assert "har redan ett konto" in mails(cloud, known)[-1]["BodyText"]
    assert anyone.sign_in(known, PASSWORD).call("GET", "/v1/me")["email"] == known


def test_leaving(cloud: Cloud) -> None:
    """Who leaves gets everything, is gone, and may come anew as somebody else."""
    email, anyone = newcomer(cloud, "dora", password=PASSWORD)
    me = anyone.sign_in(email, PASSWORD)
    car = {"name": "Volvo", "phases": 3, "max_a": 16, "battery_wh": 78_000}
    made = me.call("POST", "/v1/me/vehicles", car, {"Idempotency-Key": "one"})
    export = me.call("GET", "/v1/me/export")
    assert (export["profile"]["email"], export["vehicles"], export["sessions"]) == (email, [made], [])
    me.call("DELETE", "/v1/me", {"confirm": "delete"})
    assert refused(anyone.sign_in, email, PASSWORD) == (401, "not_signed_in")
    begun = anyone.call("POST", "/v1/sign-up", {"email": email, "language": "en", "password": PASSWORD})
    said = {"email": email, "session": begun["session"], "code": code_to(cloud, email, 1)}
    anyone.call("POST", "/v1/sign-up/confirm", said)
    again = anyone.sign_in(email, PASSWORD)
    assert again.call("GET", "/v1/me")["id"] != export["profile"]["id"]
    assert again.call("GET", "/v1/me/vehicles")["items"] == []


def administrator(cloud: Cloud, stage: Stage) -> tuple[Api, str]:
    """Let somebody administer an owner that is new."""
    email, anyone = newcomer(cloud, "olga", password=PASSWORD)
    olga, owner = anyone.sign_in(email, PASSWORD), uuid4().hex[:26]
    grant = Grant("first", owner, f"user:{olga.call('GET', '/v1/me')['id']}", Role.OWNER_ADMIN, f"owner/{owner}")
    stage.world.registry.commit([Put(OWNER, None, Owner(owner, "Olga's")), Put(GRANT, None, grant)])
    return olga, owner


class Provider(BaseHTTPRequestHandler):
    """An identity provider where everybody is fred, and says that his address is proved."""

    def do_POST(self) -> None:
        claims = {"sub": "7", "email": "fred@example.com", "email_verified": True, "name": "Fred"}
        body = json.dumps({"id_token": jwt.encode(claims, "", algorithm="none"), "access_token": "x"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@contextmanager
def provider() -> Iterator[str]:
    """Run an identity provider; give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def through(cloud: Cloud, sign_in_url: str) -> Api:
    """Sign in as a browser does that begins at an address, goes to the provider, and comes back to the app."""
    proof = "a-proof-key-of-43-to-128-characters-that-nobody-else-has"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(proof.encode()).digest()).decode().rstrip("=")
    begin = urlencode({"state": "s", "code_challenge": challenge, "code_challenge_method": "S256"})
    asked = parse_qs(urlsplit(_redirected(f"{sign_in_url}&{begin}")).query)
    back = urlencode({"code": "theirs", "state": asked["state"][0]})
    told = parse_qs(urlsplit(_redirected(f"{cloud.account.endpoint}/oauth2/idpresponse?{back}")).query)
    said = {name: values[0] for name, values in parse_qs(urlsplit(sign_in_url).query).items()}
    form = {"grant_type": "authorization_code", "code": told["code"][0], "code_verifier": proof}
    form |= {name: said[name] for name in ("client_id", "redirect_uri")}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    tokens = urllib3.request("POST", f"{cloud.account.endpoint}/oauth2/token", body=urlencode(form), headers=kind)
    return Api(address_of(cloud.account, cloud.outputs), tokens.json()["id_token"])


def _redirected(url: str) -> str:
    answer = urllib3.request("GET", url, redirect=False, retries=False)
    assert answer.status == 302, answer.data
    return str(answer.headers["Location"])


def test_a_provider(cloud: Cloud, stage: Stage) -> None:
    """Who comes through an owner's provider has what this owner gives to their address, nothing else, while it is let in."""
    olga, owner = administrator(cloud, stage)
    path = f"/v1/owners/{owner}/identity-provider"
    oidc = {"kind": "oidc", "issuer": "https://login.example.com", "client_id": "us", "client_secret": "secret"}
    first = olga.call("PUT", path, oidc, {"If-Match": "*"})
    saml = {"kind": "saml", "metadata_url": "https://login.example.com/metadata"}
    assert olga.call("PUT", path, saml, {"If-Match": "*"})["sign_in_url"] == first["sign_in_url"]
    assert olga.call("PUT", path, oidc, {"If-Match": "*"}) == first == olga.call("GET", path)
    for whose in (owner, "another-owner"):
        grant = Grant("f", whose, email_subject("fred@example.com"), Role.OWNER_ADMIN, f"owner/{whose}")
        stage.world.registry.commit([Put(GRANT, None, replace(grant, id=f"f-{whose}"))])
    with provider() as address:
        # The provider speaks plain HTTP, which nobody but the account's root can let in.
        details = {"authorize_url": f"{address}/authorize", "token_url": f"{address}/token", "client_id": "us"}
        cloud.client("cognito-idp").update_identity_provider(
            UserPoolId=cloud.outputs.user_pool_id, ProviderName=owner, ProviderDetails=details
        )
        fred = through(cloud, first["sign_in_url"])
    assert fred.call("GET", path) == first
    assert [g["scope"] for g in fred.call("GET", "/v1/me/access")["grants"]] == [f"owner/{owner}"]
    olga.call("DELETE", path, None, {"If-Match": "*"})
    assert refused(fred.call, "GET", "/v1/me") == (401, "not_signed_in")
    assert refused(olga.call, "GET", path) == (404, "not_found")


def test_a_token(cloud: Cloud, stage: Stage) -> None:
    """A token lets another system do what it says and no more, is shown once, and is revoked at once."""
    olga, owner = administrator(cloud, stage)
    path, wish = f"/v1/owners/{owner}/tokens", {"name": "Parking", "capabilities": ["administer"], "per_minute": 3}
    made = olga.call("POST", path, wish, {"Idempotency-Key": "t"})
    assert olga.call("POST", path, wish, {"Idempotency-Key": "t"}) == made | {"token": None}
    system = Api(address_of(cloud.account, cloud.outputs), f"Bearer {made['token']}")
    assert system.call("GET", f"{path}/{made['id']}")["used_at"] is not None
    assert refused(system.call, "GET", "/v1/me") == (403, "not_allowed")
    assert refused(system.call, "GET", "/v1/owners/another/tokens") == (404, "not_found")
    assert refused(lambda: [system.call("GET", path) for _ in range(4)]) == (429, "too_often")
    olga.call("DELETE", f"{path}/{made['id']}")
    assert refused(system.call, "GET", path) == (401, "not_signed_in")
    wait_for("the list has it", lambda: [t["state"] for t in olga.call("GET", path)["items"]] == ["revoked"])
