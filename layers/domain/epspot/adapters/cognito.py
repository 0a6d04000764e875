"""Users in a Cognito user pool."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import jwt
from botocore.exceptions import ClientError

from epspot.errors import InvalidRequest, NotSignedIn, TooOften, WrongCode
from epspot.ports import Account, Person, Tokens

_REFUSED = {
    "NotAuthorizedException",
    "UserNotFoundException",
    "UserNotConfirmedException",
    "PasswordResetRequiredException",
}
_WRONG_CODE = {
    "CodeMismatchException",
    "ExpiredCodeException",
    "NotAuthorizedException",
    "UserNotFoundException",
    "TooManyFailedAttemptsException",
    "LimitExceededException",
}
_NOBODY = {
    "CodeDeliveryFailureException",
    "InvalidParameterException",
    "LimitExceededException",
    "NotAuthorizedException",
    "UserNotFoundException",
}
"""Nobody to send a code to, or the pool will send no more for now: not told to whoever asks."""
_TOO_OFTEN = {"LimitExceededException", "TooManyRequestsException", "TooManyFailedAttemptsException"}
_ATTEMPT_OVER = {
    "NotAuthorizedException",
    "InvalidParameterException",
    "CodeMismatchException",
    "UserNotFoundException",
}

_NOT_TAKEN = {"InvalidParameterException", "InvalidPasswordException"}
"""An address or a password is not as the pool wants them."""

_KEYS_S, _KEYS_WITHIN_S, _LEEWAY_S = 3600, 3, 5


@dataclass(frozen=True, slots=True)
class Pool:
    """Where a user pool is, and how it names itself."""

    id: str
    address: str
    issuer: str

    @classmethod
    def of(cls, pool_id: str, region: str, endpoint_url: str | None) -> Self:
        """Find a pool on AWS, or in an emulated account, whose tokens name the real one."""
        issuer = f"https://cognito-idp.{region}.amazonaws.com/{pool_id}"
        return cls(pool_id, issuer if endpoint_url is None else f"{endpoint_url}/{pool_id}", issuer)


def _not_ours() -> NotSignedIn:
    return NotSignedIn(
        "This token is not one of ours, or is over: sign in again.", "Inloggningen gäller inte längre: logga in igen."
    )


class CognitoIdentity:
    """``Identity`` on a Cognito user pool's client."""

    def __init__(self, client: Any, client_id: str, pool: Pool) -> None:
        self._client = client
        self._client_id = client_id
        self._pool = pool
        self._keys = jwt.PyJWKClient(f"{pool.address}/.well-known/jwks.json", lifespan=_KEYS_S, timeout=_KEYS_WITHIN_S)

    def verify(self, id_token: str) -> Person:
        """Check an id token's signature, audience, issuer and time. Raises NotSignedIn.

        Whether the provider of who came through one is still let in, is for the caller to find out.
        """
        try:
            key = self._keys.get_signing_key_from_jwt(id_token).key
            claims = jwt.decode(
                id_token,
                key,
                algorithms=["RS256"],
                issuer=self._pool.issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"], "verify_aud": False},
            )
        except jwt.PyJWKClientConnectionError:
            # Not the caller's fault: nobody must be signed out by it.
            raise
        except (jwt.PyJWTError, UnicodeError):
            raise _not_ours() from None
        provider, client = _provider_in(claims), claims["aud"]
        # Each provider has a client of its own, which only its users can take.
        if (
            claims.get("token_use") != "id"
            or not isinstance(client, str)
            or (client == self._client_id) == bool(provider)
        ):
            raise _not_ours()
        proved = bool(provider) or claims.get("email_verified") in (True, "true")
        email = str(claims["email"]).lower() if proved and claims.get("email") else None
        return Person(str(claims["sub"]), email, provider, client if provider else "")

    def sign_in(self, email: str, password: str) -> Tokens:
        """Check a password. Raises NotSignedIn, alike for a wrong password and an unknown user."""
        try:
            answer = self._begin("USER_PASSWORD_AUTH", USERNAME=email.lower(), PASSWORD=password)
        except ClientError as error:
            # It takes not every address, such as a very long one, for one that somebody may have.
            _unless(error, _REFUSED | {"InvalidParameterException"})
            raise NotSignedIn(
                "The e-mail address or the password is wrong.", "E-postadressen eller lösenordet är fel."
            ) from None
        if "AuthenticationResult" not in answer:
            raise NotSignedIn(
                "This account must set a new password before it can sign in.",
                "Kontot måste få ett nytt lösenord innan det går att logga in.",
            )
        return _tokens(answer)

    def refresh(self, refresh_token: str) -> Tokens:
        """Give new tokens. Raises NotSignedIn."""
        try:
            return _tokens(self._begin("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=refresh_token))
        except ClientError as error:
            _unless(error, _REFUSED | {"InvalidParameterException"})
            raise _not_ours() from None

    def sign_out(self, refresh_token: str) -> None:
        """Revoke a refresh token; one that is none is as good as revoked."""
        try:
            self._client.revoke_token(ClientId=self._client_id, Token=refresh_token)
        except ClientError as error:
            _unless(error, {"NotAuthorizedException", "InvalidParameterException", "UnsupportedTokenTypeException"})

    # ------------------------------------------------------------ by code

    def send_code(self, email: str) -> str | None:
        """Begin a sign-in that the pool asks functions/identity about, which sends the code."""
        try:
            answer = self._begin("CUSTOM_AUTH", USERNAME=email.lower())
        except ClientError as error:
            _unless(error, _REFUSED | _NOBODY)
            return None
        return str(answer["Session"])

    def try_code(self, email: str, attempt: str, code: str) -> Tokens | str:
        """Answer the pool's question. Raises NotSignedIn when it asks no more."""
        try:
            answer = self._client.respond_to_auth_challenge(
                ClientId=self._client_id,
                ChallengeName="CUSTOM_CHALLENGE",
                Session=attempt,
                ChallengeResponses={"USERNAME": email.lower(), "ANSWER": code},
            )
        except ClientError as error:
            _unless(error, _REFUSED | _ATTEMPT_OVER)
            raise NotSignedIn("The code is wrong, or is over: ask for a new one.") from None
        return _tokens(answer) if "AuthenticationResult" in answer else str(answer["Session"])

    # ------------------------------------------------------------ signing up

    def sign_up(self, email: str, password: str, name: str, language: str) -> str | None:
        """Take in a user. What was begun with the address and never confirmed is removed, with its password."""
        told = {"email": email.lower(), "locale": language} | ({"name": name} if name else {})
        asked = {
            "ClientId": self._client_id,
            "Username": email.lower(),
            "Password": password,
            "UserAttributes": _attributes(told),
        }
        try:
            return str(self._client.sign_up(**asked)["UserSub"])
        except ClientError as error:
            _refuse_what_is_not_taken(error)
            _unless(error, {"UsernameExistsException"})
        if not self._remove_unconfirmed(email):
            return None
        try:
            return str(self._client.sign_up(**asked)["UserSub"])
        except ClientError as error:
            # The same request, sent twice at once, was first.
            _unless(error, {"UsernameExistsException"})
            return None

    def _remove_unconfirmed(self, email: str) -> bool:
        try:
            found = self._client.admin_get_user(UserPoolId=self._pool.id, Username=email.lower())
        except ClientError as error:
            _unless(error, {"UserNotFoundException"})
            return True
        if found["UserStatus"] != "UNCONFIRMED":
            return False
        self.remove(found["Username"])
        return True

    def confirm(self, email: str, code: str) -> None:
        """Take an address as confirmed. Raises WrongCode."""
        try:
            self._client.confirm_sign_up(ClientId=self._client_id, Username=email.lower(), ConfirmationCode=code)
        except ClientError as error:
            _unless(error, _WRONG_CODE | _NOT_TAKEN)
            raise _wrong_code() from None

    def send_again(self, email: str) -> None:
        """Send the code of a sign-up once more, if there is one to be confirmed."""
        try:
            self._client.resend_confirmation_code(ClientId=self._client_id, Username=email.lower())
        except ClientError as error:
            _unless(error, _NOBODY)

    # ------------------------------------------------------------ passwords

    def forgot_password(self, email: str) -> None:
        """Send a code to choose a new password with, if somebody has the address."""
        try:
            self._client.forgot_password(ClientId=self._client_id, Username=email.lower())
        except ClientError as error:
            _unless(error, _NOBODY)

    def reset_password(self, email: str, code: str, password: str) -> None:
        """Set a password. Raises InvalidRequest or WrongCode."""
        try:
            self._client.confirm_forgot_password(
                ClientId=self._client_id, Username=email.lower(), ConfirmationCode=code, Password=password
            )
        except ClientError as error:
            _refuse_what_is_not_taken(error)
            _unless(error, _WRONG_CODE)
            raise _wrong_code() from None

    # ------------------------------------------------------------ accounts

    def account(self, user: str) -> Account | None:
        """Find a user's account."""
        try:
            found = self._client.admin_get_user(UserPoolId=self._pool.id, Username=user)
        except ClientError as error:
            _unless(error, {"UserNotFoundException"})
            return None
        told = {a["Name"]: a["Value"] for a in found["UserAttributes"]}
        return Account(user, told.get("email", "").lower(), told.get("name", ""), told.get("locale", ""))

    def set_language(self, user: str, language: str) -> None:
        """Let the pool's own mails, and those with codes, speak a user's language from now on."""
        try:
            self._client.admin_update_user_attributes(
                UserPoolId=self._pool.id, Username=user, UserAttributes=_attributes({"locale": language})
            )
        except ClientError as error:
            _unless(error, {"UserNotFoundException"})

    def remove(self, user: str) -> None:
        """Forget a user, if there is one."""
        try:
            self._client.admin_delete_user(UserPoolId=self._pool.id, Username=user)
        except ClientError as error:
            _unless(error, {"UserNotFoundException"})
        else:
            return
        # Who came through a provider is found by the id, but goes by another name.
        found = self._client.list_users(UserPoolId=self._pool.id, Filter=f'sub = "{user}"', Limit=1)["Users"]
        for known in found:
            self._client.admin_delete_user(UserPoolId=self._pool.id, Username=known["Username"])

    def _begin(self, flow: str, **parameters: str) -> Any:
        return self._client.initiate_auth(ClientId=self._client_id, AuthFlow=flow, AuthParameters=parameters)


def _provider_in(claims: Mapping[str, Any]) -> str:
    """Name the provider through which somebody came; a user of the pool itself has none."""
    told = claims.get("identities")
    first = told[0] if isinstance(told, list) and told else {}
    return str(first.get("providerName") or "") if isinstance(first, Mapping) else ""


def _unless(error: ClientError, expected: set[str]) -> None:
    """Raise an error that is none of those that are expected. Raises TooOften for the pool's own limits."""
    code = error.response["Error"]["Code"]
    if code in expected:
        return
    if code in _TOO_OFTEN:
        raise TooOften("This was tried too often. Wait a while.", "För många försök. Vänta en stund.") from None
    raise error


def _refuse_what_is_not_taken(error: ClientError) -> None:
    """Say what the pool does not take of an address or a password. Raises InvalidRequest."""
    if error.response["Error"]["Code"] in _NOT_TAKEN:
        raise InvalidRequest(f"The user pool does not take this: {error.response['Error']['Message']}") from None


def _attributes(told: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in told.items()]


def _tokens(answer: Any) -> Tokens:
    result = answer["AuthenticationResult"]
    return Tokens(result["IdToken"], result.get("RefreshToken"), int(result["ExpiresIn"]))


def _wrong_code() -> WrongCode:
    return WrongCode(
        "The code is wrong, used or too old. Look in the newest mail, or ask for another code.",
        "Koden är fel, använd eller för gammal. Titta i det senaste mejlet, eller be om en ny kod.",
    )
