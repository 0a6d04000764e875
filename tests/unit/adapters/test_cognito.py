"""The user pool: what the adapter makes of its answers, over a stand-in, and over answers as AWS gives them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from epspot.adapters.cognito import CognitoIdentity, Pool
from epspot.errors import InvalidRequest, NotSignedIn, TooOften, WrongCode

ROOT = Path(__file__).parents[3]
REGION = "eu-north-1"
PASSWORD = "three-words-and-1-digit"
ANNA = "anna@example.com"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Stand in for Cognito."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield boto3.client("cognito-idp", region_name=REGION)


@pytest.fixture
def identity(client: Any) -> CognitoIdentity:
    """Make a pool as the template does."""
    template = yaml_parse((ROOT / "infra" / "identity.yaml").read_text(encoding="utf-8"))
    described = template["Resources"]["UserPool"]["Properties"]
    asked = {name: described[name] for name in ("UsernameAttributes", "AutoVerifiedAttributes", "Policies")}
    pool = client.create_user_pool(PoolName="p", **asked)
    pool_id = pool["UserPool"]["Id"]
    made = client.create_user_pool_client(UserPoolId=pool_id, ClientName="app", PreventUserExistenceErrors="ENABLED")
    return CognitoIdentity(client, made["UserPoolClient"]["ClientId"], Pool.of(pool_id, REGION, None))


def test_a_pool_names_itself() -> None:
    """A pool is found at its issuer, or in an emulated account, whose tokens name the real one."""
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/pool"
    assert Pool.of("pool", REGION, None) == Pool("pool", issuer, issuer)
    assert Pool.of("pool", REGION, "http://localhost:1") == Pool("pool", "http://localhost:1/pool", issuer)


def test_a_life_in_the_pool(identity: CognitoIdentity) -> None:
    """A user signs up, confirms, signs in in any case, changes language and leaves."""
    user = identity.sign_up("Anna@Example.com", PASSWORD, "Anna", "en")
    assert user is not None
    with pytest.raises(NotSignedIn):
        identity.sign_in(ANNA, PASSWORD)
    identity.confirm("ANNA@example.com", "123456")
    tokens = identity.sign_in("anna@EXAMPLE.com", PASSWORD)
    assert (tokens.expires_in_s, bool(tokens.id_token)) == (3600, True)
    assert tokens.refresh_token is not None
    assert identity.refresh(tokens.refresh_token).id_token
    account = identity.account(user)
    assert account is not None
    assert (account.user, account.email, account.name, account.language) == (user, ANNA, "Anna", "en")
    identity.set_language(user, "sv")
    account = identity.account(user)
    assert account is not None
    assert account.language == "sv"
    identity.remove(user)
    identity.remove(user)
    identity.set_language(user, "en")
    assert identity.account(user) is None
    with pytest.raises(NotSignedIn):
        identity.sign_in(ANNA, PASSWORD)


def test_an_address_is_somebodys_when_it_is_confirmed(identity: CognitoIdentity) -> None:
    """What was begun and not confirmed makes room with its password; what is confirmed does not."""
    first = identity.sign_up(ANNA, "a-strangers-password-1", "", "sv")
    second = identity.sign_up(ANNA, PASSWORD, "", "sv")
    assert second is not None
    assert first != second
    identity.confirm(ANNA, "123456")
    with pytest.raises(NotSignedIn):
        identity.sign_in(ANNA, "a-strangers-password-1")
    assert identity.sign_up(ANNA, "a-strangers-password-1", "", "sv") is None
    assert identity.sign_in(ANNA, PASSWORD).id_token


def test_a_new_password(identity: CognitoIdentity, client: Any) -> None:
    """The code from the mail sets a new password."""
    identity.sign_up(ANNA, PASSWORD, "", "sv")
    identity.confirm(ANNA, "123456")
    identity.forgot_password(ANNA)
    identity.forgot_password("nobody@example.com")
    told = client.forgot_password(ClientId=identity._client_id, Username=ANNA)
    code = told["ResponseMetadata"]["HTTPHeaders"]["x-moto-forgot-password-confirmation-code"]
    identity.reset_password(ANNA, code, "other-words-and-2")
    assert identity.sign_in(ANNA, "other-words-and-2").id_token


def test_wrong_and_unknown_are_alike(identity: CognitoIdentity) -> None:
    """A wrong password and an unknown user, a stale token and none, are refused with one text."""
    identity.sign_up(ANNA, PASSWORD, "", "sv")
    identity.confirm(ANNA, "123456")
    refused = []
    for email in (ANNA, "nobody@example.com"):
        with pytest.raises(NotSignedIn) as told:
            identity.sign_in(email, "wrong")
        refused.append(str(told.value))
    assert refused[0] == refused[1]
    with pytest.raises(NotSignedIn):
        identity.refresh("nothing")


# ------------------------------------------------------------------ as AWS answers


class Told:
    """A client that answers every call as it is told to; ``asked`` are the calls."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            self.asked.append((name, parameters))
            if isinstance(self.answer, str):
                raise ClientError({"Error": {"Code": self.answer, "Message": "why"}}, name)
            return self.answer

        return call


def told(answer: Any) -> CognitoIdentity:
    return CognitoIdentity(Told(answer), "client", Pool.of("pool", REGION, None))


TOKENS = {"AuthenticationResult": {"IdToken": "id", "RefreshToken": "refresh", "ExpiresIn": 3600}}
ASKED = {"ChallengeName": "CUSTOM_CHALLENGE", "Session": "next", "ChallengeParameters": {}}


def test_a_code_is_asked_for() -> None:
    """The pool's session is handed on from question to question, until there are tokens."""
    identity = told(ASKED)
    assert identity.send_code("Anna@example.com") == "next"
    assert identity.try_code("Anna@example.com", "session", "1") == "next"
    asked = [parameters for _, parameters in identity._client.asked]
    assert (asked[0]["AuthFlow"], asked[0]["AuthParameters"]) == ("CUSTOM_AUTH", {"USERNAME": ANNA})
    assert (asked[1]["Session"], asked[1]["ChallengeResponses"]) == ("session", {"USERNAME": ANNA, "ANSWER": "1"})
    tokens = told(TOKENS).try_code(ANNA, "session", "1")
    assert not isinstance(tokens, str)
    assert (tokens.id_token, tokens.refresh_token) == ("id", "refresh")


@pytest.mark.parametrize("code", ["NotAuthorizedException", "UserNotFoundException", "UserNotConfirmedException"])
def test_nobody_to_send_a_code_to(code: str) -> None:
    """Who is unknown, blocked or not confirmed is sent no code, and nothing is told."""
    assert told(code).send_code(ANNA) is None
    with pytest.raises(NotSignedIn):
        told(code).try_code(ANNA, "session", "1")


@pytest.mark.parametrize("code", ["UserNotFoundException", "InvalidParameterException", "NotAuthorizedException"])
def test_nobody_to_remind(code: str) -> None:
    """Who can't be sent a code for a password or a sign-up is passed over in silence."""
    told(code).forgot_password(ANNA)
    told(code).send_again(ANNA)


@pytest.mark.parametrize("code", ["CodeMismatchException", "ExpiredCodeException", "NotAuthorizedException"])
def test_wrong_codes(code: str) -> None:
    """Whatever is wrong with a code, it is refused with one text."""
    with pytest.raises(WrongCode) as confirmed:
        told(code).confirm(ANNA, "1")
    with pytest.raises(WrongCode) as reset:
        told(code).reset_password(ANNA, "1", PASSWORD)
    assert str(confirmed.value) == str(reset.value)


def test_the_pools_own_limits() -> None:
    """What the pool finds too much is told as such."""
    calls: list[Callable[[CognitoIdentity], object]] = [
        lambda i: i.sign_in(ANNA, "x"),
        lambda i: i.send_code(ANNA),
        lambda i: i.refresh("x"),
    ]
    for call in calls:
        with pytest.raises(TooOften):
            call(told("TooManyRequestsException"))


def test_what_the_pool_does_not_take() -> None:
    """An address or password of a form that the pool does not take is refused with its reason."""
    for code in ("InvalidParameterException", "InvalidPasswordException"):
        with pytest.raises(InvalidRequest, match="why"):
            told(code).sign_up(ANNA, "x", "", "sv")
        with pytest.raises(InvalidRequest, match="why"):
            told(code).reset_password(ANNA, "1", "x")


def test_what_can_be_no_address_is_nobodys() -> None:
    """Who signs in or confirms with what the pool does not take for an address is refused as whoever is unknown."""
    with pytest.raises(NotSignedIn):
        told("InvalidParameterException").sign_in(ANNA, "x")
    with pytest.raises(WrongCode):
        told("InvalidParameterException").confirm(ANNA, "1")


def test_who_must_set_a_password_first() -> None:
    """Who was made by an administrator and has not set a password can't sign in with it."""
    with pytest.raises(NotSignedIn, match="new password"):
        told({"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s"}).sign_in(ANNA, "x")


def test_signing_out() -> None:
    """A refresh token is revoked; one that is none is as good as revoked."""
    identity = told({})
    identity.sign_out("refresh")
    assert identity._client.asked == [("revoke_token", {"ClientId": "client", "Token": "refresh"})]
    told("NotAuthorizedException").sign_out("refresh")


def test_what_nobody_expected_is_not_hidden() -> None:
    """A failure of the pool is raised as it is."""
    calls: list[Callable[[CognitoIdentity], object]] = [
        lambda i: i.sign_in(ANNA, "x"),
        lambda i: i.sign_up(ANNA, "x", "", "sv"),
        lambda i: i.send_code(ANNA),
        lambda i: i.try_code(ANNA, "s", "1"),
        lambda i: i.confirm(ANNA, "1"),
        lambda i: i.forgot_password(ANNA),
        lambda i: i.account("anna"),
        lambda i: i.remove("anna"),
        lambda i: i.sign_out("x"),
    ]
    for call in calls:
        with pytest.raises(ClientError):
            call(told("InternalErrorException"))
