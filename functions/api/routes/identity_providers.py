"""The identity provider of an owner's own, through which its people sign in."""

from typing import Any

from epspot.access import Capability
from epspot.registry.identity_providers import IdentityProvider
from epspot.services.connect_provider import connect_provider, disconnect_provider, no_provider, provider_of
from functions.api.calls import Answer, Call
from functions.api.operations import operation

_TAG = "Signing in"
_PATH = "/v1/owners/{owner}/identity-provider"


@operation(
    "GET",
    _PATH,
    "Show the owner's own identity provider, and where its people sign in",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    answer="IdentityProvider",
)
def show_identity_provider(call: Call) -> Any:
    """Show the provider; its secret is not."""
    return _shown(call, _known(call))


@operation(
    "PUT",
    _PATH,
    "Let people sign in through the owner's own OIDC or SAML provider",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    body="IdentityProviderForm",
    answer="IdentityProvider",
    changes=True,
)
def put_identity_provider(call: Call) -> Any:
    """Connect a provider, or change it; the first time with ``If-Match: *``."""
    owner, said = call.params["owner"], call.body
    before = provider_of(call.world.registry, owner)
    call.check_version(0 if before is None else before.version)
    shown = {name: said.get(name, "") for name in ("issuer", "client_id", "metadata_url")}
    after = IdentityProvider(owner, said["kind"], "", **shown)
    return _shown(call, connect_provider(call.world.connecting, call.actor, before, after, said))


@operation(
    "DELETE",
    _PATH,
    "Let nobody sign in through the owner's provider any more",
    tag=_TAG,
    needs=Capability.ADMINISTER,
    on="owner",
    status=204,
    changes=True,
)
def remove_identity_provider(call: Call) -> Any:
    """Disconnect the provider."""
    known = _known(call)
    call.check_version(known.version)
    disconnect_provider(call.world.connecting, call.actor, known)
    return Answer(None)


def _known(call: Call) -> IdentityProvider:
    known = provider_of(call.world.registry, call.params["owner"])
    if known is None:
        raise no_provider()
    return known


def _shown(call: Call, p: IdentityProvider) -> Answer:
    told = {"kind": p.kind, "sign_in_url": call.world.providers.address(p.owner, p.client)}
    if p.kind == "oidc":
        told |= {"issuer": p.issuer, "client_id": p.client_id}
    else:
        told |= {"metadata_url": p.metadata_url}
    return Answer(told, version=p.version)
