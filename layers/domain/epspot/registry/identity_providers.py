"""By which identity provider of its own an owner lets people sign in."""

from dataclasses import dataclass

from epspot.registry.kinds import Kind
from epspot.registry.records import of_owner


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An owner's OIDC or SAML provider. Its secret is kept by the user pool alone."""

    owner: str
    kind: str
    """``oidc`` or ``saml``."""
    client: str
    """The way into the pool that its users take."""
    issuer: str = ""
    client_id: str = ""
    """What the provider calls us. Of OIDC, as the issuer is."""
    metadata_url: str = ""
    """Of SAML."""
    made_at: float = 0.0
    version: int = 0


IDENTITY_PROVIDER = Kind("IDP", IdentityProvider, under=lambda p: of_owner(p.owner), id=lambda _: "")
