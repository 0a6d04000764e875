"""Owners' identity providers in the user pool, over a stand-in."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from epspot.adapters.cognito_providers import CognitoProviders
from epspot.errors import InvalidRequest

REGION = "eu-north-1"
OIDC = {"issuer": "https://login.example.com", "client_id": "us", "client_secret": "secret"}
SAML = {"metadata_url": "https://login.example.com/metadata"}


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
def pool(client: Any) -> str:
    """Make a pool."""
    return str(client.create_user_pool(PoolName="p")["UserPool"]["Id"])


@pytest.fixture
def providers(client: Any, pool: str) -> CognitoProviders:
    """Make what lets providers into the pool."""
    return CognitoProviders(client, pool, "https://pages.example.com", "https://app.example.com")


def described(client: Any, pool: str, name: str) -> dict[str, Any]:
    told: dict[str, Any] = client.describe_identity_provider(UserPoolId=pool, ProviderName=name)["IdentityProvider"]
    return told


def test_a_provider_has_a_way_in_of_its_own(client: Any, pool: str, providers: CognitoProviders) -> None:
    """Through the client of a provider nobody else comes in, and only back to our own app."""
    way = providers.connect("owner1", "oidc", OIDC, "")
    made = client.describe_user_pool_client(UserPoolId=pool, ClientId=way)["UserPoolClient"]
    assert (made["SupportedIdentityProviders"], made["AllowedOAuthFlows"]) == (["owner1"], ["code"])
    assert made["CallbackURLs"] == ["https://app.example.com/signed-in"]
    assert "ClientSecret" not in made
    assert providers.connect("owner2", "oidc", OIDC, "") != way


def test_a_provider_is_described(client: Any, pool: str, providers: CognitoProviders) -> None:
    """The pool is told what it takes to ask an OIDC or a SAML provider, and never to take an address as proved."""
    providers.connect("owner1", "oidc", OIDC, "")
    told = described(client, pool, "owner1")
    details = told["ProviderDetails"]
    assert (told["ProviderType"], details["oidc_issuer"], details["client_secret"]) == (
        "OIDC",
        OIDC["issuer"],
        "secret",
    )
    assert "email_verified" not in told["AttributeMapping"]
    providers.connect("owner2", "saml", SAML, "")
    told = described(client, pool, "owner2")
    assert (told["ProviderType"], told["ProviderDetails"]["MetadataURL"]) == ("SAML", SAML["metadata_url"])
    assert "email_verified" not in told["AttributeMapping"]


def test_a_provider_is_changed(client: Any, pool: str, providers: CognitoProviders) -> None:
    """A changed provider, of another kind too, keeps its way in."""
    way = providers.connect("owner1", "oidc", OIDC, "")
    assert providers.connect("owner1", "oidc", OIDC | {"client_id": "new"}, way) == way
    assert described(client, pool, "owner1")["ProviderDetails"]["client_id"] == "new"
    assert providers.connect("owner1", "saml", SAML, way) == way
    assert described(client, pool, "owner1")["ProviderType"] == "SAML"
    assert len(client.list_user_pool_clients(UserPoolId=pool, MaxResults=9)["UserPoolClients"]) == 1


def test_a_provider_is_gone(client: Any, pool: str, providers: CognitoProviders) -> None:
    """A provider that is disconnected leaves nothing behind, and may be disconnected again."""
    way = providers.connect("owner1", "oidc", OIDC, "")
    for _ in range(2):
        providers.disconnect("owner1", way)
    assert client.list_user_pool_clients(UserPoolId=pool, MaxResults=9)["UserPoolClients"] == []
    assert client.list_identity_providers(UserPoolId=pool, MaxResults=9)["Providers"] == []


def test_where_people_begin(providers: CognitoProviders) -> None:
    """The address leads straight to the provider, and back to the app with a code."""
    url = urlsplit(providers.address("owner1", "way"))
    assert url.geturl().startswith("https://pages.example.com/oauth2/authorize?")
    assert parse_qs(url.query) == {
        "identity_provider": ["owner1"],
        "client_id": ["way"],
        "response_type": ["code"],
        "scope": ["openid email profile"],
        "redirect_uri": ["https://app.example.com/signed-in"],
    }


def test_what_the_pool_does_not_take(client: Any, providers: CognitoProviders, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the pool can't use is refused with its reason; its failures are raised as they are."""

    def fail(code: str) -> None:
        def call(**_: Any) -> None:
            raise ClientError({"Error": {"Code": code, "Message": "no such issuer"}}, "CreateIdentityProvider")

        monkeypatch.setattr(client, "create_identity_provider", call)

    fail("InvalidParameterException")
    with pytest.raises(InvalidRequest, match="no such issuer"):
        providers.connect("owner1", "oidc", OIDC, "")
    fail("InternalErrorException")
    with pytest.raises(ClientError):
        providers.connect("owner1", "oidc", OIDC, "")
