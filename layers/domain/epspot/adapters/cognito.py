"""Users in a Cognito user pool."""

from typing import Any

from botocore.exceptions import ClientError

from epspot.errors import NotSignedIn
from epspot.ports import Tokens

_REFUSED = {
    "NotAuthorizedException",
    "UserNotFoundException",
    "UserNotConfirmedException",
    "PasswordResetRequiredException",
}


class CognitoIdentity:
    """``Identity`` on a Cognito user pool's client."""

    def __init__(self, client: Any, client_id: str) -> None:
        self._client = client
        self._client_id = client_id

    def sign_in(self, email: str, password: str) -> Tokens:
        """Check a password. Raises NotSignedIn, alike for a wrong password and an unknown user."""
        try:
            answer = self._client.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email.lower(), "PASSWORD": password},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _REFUSED:
                raise NotSignedIn(
                    "The e-mail address or the password is wrong.", "E-postadressen eller lösenordet är fel."
                ) from None
            raise
        result = answer.get("AuthenticationResult")
        if result is None:
            raise NotSignedIn(
                "This account must set a new password before it can sign in.",
                "Kontot måste få ett nytt lösenord innan det går att logga in.",
            )
        return Tokens(result["IdToken"], result.get("RefreshToken"), int(result["ExpiresIn"]))
