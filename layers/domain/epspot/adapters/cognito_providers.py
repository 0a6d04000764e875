"""Owners' identity providers in a Cognito user pool: each has a client of its own, which lets nobody else in."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from epspot.errors import InvalidRequest

_SCOPES = ["openid", "email", "profile"]
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
# Never the claim that the address is proved: a provider's word counts with its own owner alone.
_MAPPING: Mapping[str, Mapping[str, str]] = {
    "oidc": {"email": "email", "name": "name"},
    "saml": {"email": f"{_CLAIMS}/emailaddress", "name": f"{_CLAIMS}/name"},
}
_NOT_TAKEN = {"InvalidParameterException", "UnsupportedIdentityProviderException"}


class CognitoProviders:
    """``Providers`` on a Cognito user pool."""

    def __init__(self, client: Any, pool_id: str, sign_in_url: str, app_url: str) -> None:
        self._client = client
        self._pool_id = pool_id
        self._sign_in_url = sign_in_url
        self._callback = f"{app_url or 'http://localhost:3000'}/signed-in"

    def connect(self, name: str, kind: str, details: Mapping[str, str], client: str) -> str:
        """Create or update a provider, and its client. Raises InvalidRequest."""
        described = {
            "UserPoolId": self._pool_id,
            "ProviderName": name,
            "ProviderDetails": _details(kind, details),
            "AttributeMapping": _MAPPING[kind],
        }
        try:
            # A provider can't become one of another kind.
            if self._kind_of(name) not in (None, kind):
                self._client.delete_identity_provider(UserPoolId=self._pool_id, ProviderName=name)
            if self._kind_of(name) is None:
                self._client.create_identity_provider(**described, ProviderType=kind.upper())
            else:
                self._client.update_identity_provider(**described)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_TAKEN:
                raise InvalidRequest(f"The provider can't be used: {error.response['Error']['Message']}") from None
            raise
        return client or self._make_client(name)

    def _kind_of(self, name: str) -> str | None:
        try:
            told = self._client.describe_identity_provider(UserPoolId=self._pool_id, ProviderName=name)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return str(told["IdentityProvider"]["ProviderType"]).lower()

    def _make_client(self, name: str) -> str:
        made = self._client.create_user_pool_client(
            UserPoolId=self._pool_id,
            ClientName=f"provider-{name}",
            GenerateSecret=False,
            SupportedIdentityProviders=[name],
            AllowedOAuthFlows=["code"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=_SCOPES,
            CallbackURLs=[self._callback],
            ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
            PreventUserExistenceErrors="ENABLED",
            WriteAttributes=["email", "name"],
            IdTokenValidity=60,
            TokenValidityUnits={"IdToken": "minutes"},
        )
        return str(made["UserPoolClient"]["ClientId"])

    def disconnect(self, name: str, client: str) -> None:
        """Delete a client and a provider, if they are there."""
        for call, named in (
            (self._client.delete_user_pool_client, {"ClientId": client}),
            (self._client.delete_identity_provider, {"ProviderName": name}),
        ):
            try:
                call(UserPoolId=self._pool_id, **named)
            except self._client.exceptions.ResourceNotFoundException:
                continue

    def address(self, name: str, client: str) -> str:
        """Tell where people begin to sign in."""
        asked = {
            "identity_provider": name,
            "client_id": client,
            "response_type": "code",
            "scope": " ".join(_SCOPES),
            "redirect_uri": self._callback,
        }
        return f"{self._sign_in_url}/oauth2/authorize?{urlencode(asked)}"


def _details(kind: str, details: Mapping[str, str]) -> dict[str, str]:
    if kind == "saml":
        return {"MetadataURL": details["metadata_url"], "IDPSignout": "false"}
    return {
        "client_id": details["client_id"],
        "client_secret": details["client_secret"],
        "oidc_issuer": details["issuer"],
        "authorize_scopes": " ".join(_SCOPES),
        "attributes_request_method": "GET",
    }
