"""Which id tokens are taken: those of our own pool, for our own app, in their time."""

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from epspot.adapters.cognito import CognitoIdentity, Pool
from epspot.errors import NotSignedIn

POOL = Pool.of("pool", "eu-north-1", None)
KEY, STRANGER = (rsa.generate_private_key(public_exponent=65_537, key_size=2048) for _ in range(2))
FEDERATED: dict[str, Any] = {"identities": [{"providerName": "owner1", "userId": "u"}], "aud": "client-owner1"}


class Keys:
    """The pool's key set, with one key."""

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        jwt.get_unverified_header(token)
        return jwt.PyJWK(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"alg": "RS256"})


class Away(Keys):
    """The pool's key set, which can't be had."""

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        raise jwt.PyJWKClientConnectionError(token[:0])


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> CognitoIdentity:
    """Make what verifies tokens, with a key set of its own."""
    made = CognitoIdentity(None, "app", POOL)
    monkeypatch.setattr(made, "_keys", Keys())
    return made


def token(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    """Make an id token as the pool does; a claim that is None is left out."""
    now = time.time()
    claims = {
        "sub": "anna",
        "aud": "app",
        "iss": POOL.issuer,
        "token_use": "id",
        "exp": now + 3600,
        "iat": now,
        "email": "Anna@Example.com",
        "email_verified": True,
    } | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm=algorithm)


def test_a_token_of_ours(identity: CognitoIdentity) -> None:
    """A token of the pool's tells who its user is, and which address they have proved, in lower case."""
    person = identity.verify(token())
    assert (person.user, person.email, person.provider) == ("anna", "anna@example.com", "")


@pytest.mark.parametrize("proved", [False, "false", None])
def test_an_address_that_is_not_proved(identity: CognitoIdentity, proved: object) -> None:
    """An address that nobody has confirmed is nobody's."""
    assert identity.verify(token(email_verified=proved)).email is None


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-app"},
        {"aud": None},
        {"aud": ["app", "another-app"]},
        {"iss": POOL.issuer + "2"},
        {"iss": None},
        {"exp": time.time() - 60},
        {"exp": None},
        {"token_use": "access"},
        {"token_use": None},
        {"sub": None},
        {"identities": FEDERATED["identities"]},
        {"aud": "client-owner1"},
        {"aud": "client-owner1", "identities": []},
        {"aud": "client-owner1", "identities": ["owner1"]},
        {"iat": time.time() + 600},
    ],
)
def test_a_token_that_is_not_for_us(identity: CognitoIdentity, changes: dict[str, Any]) -> None:
    """Another app, issuer, time or use, and a provider's people on another way than its own, are refused alike."""
    with pytest.raises(NotSignedIn, match="not one of ours"):
        identity.verify(token(**changes))


def test_a_token_that_is_forged(identity: CognitoIdentity) -> None:
    """A stranger's signature, none, one of another kind, and what is no token are refused."""
    forged = [
        token(STRANGER),
        token("", algorithm="none"),
        token("a secret that everybody knows, such as a public key", algorithm="HS256"),
        token()[:-4],
        token() + "x",
        "",
        "x",
        "a.b.c",
        "å.ä.ö",
    ]
    for text in forged:
        with pytest.raises(NotSignedIn):
            identity.verify(text)


def test_who_came_through_a_provider(identity: CognitoIdentity) -> None:
    """A token of a provider's user names the provider and the way in, and the address that the provider vouches for."""
    person = identity.verify(token(**FEDERATED, email_verified=False))
    assert (person.provider, person.client, person.email) == ("owner1", "client-owner1", "anna@example.com")


def test_keys_that_cannot_be_had(identity: CognitoIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the pool's keys can't be had nobody is told to sign in again: it is our failure."""
    monkeypatch.setattr(identity, "_keys", Away())
    with pytest.raises(jwt.PyJWKClientConnectionError):
        identity.verify(token())
