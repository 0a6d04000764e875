"""People sign in through their owner's own provider, whose word counts with this owner and nobody else."""

import pytest

from epspot.access import Role
from epspot.access.subjects import email_hash
from epspot.registry.kinds import Put
from epspot.registry.records import AUDIT_LINE, MEMBERSHIP, OWNER, Membership, Owner
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import OWNER_ID, grant

PATH = f"/v1/owners/{OWNER_ID}/identity-provider"
OIDC = {"kind": "oidc", "issuer": "https://login.example.com", "client_id": "us", "client_secret": "a-secret"}
SAML = {"kind": "saml", "metadata_url": "https://login.example.com/metadata"}
FRIDA = f"frida frida@example.com {OWNER_ID} client-{OWNER_ID}"
"""Who came through the owner's provider."""


@pytest.fixture
def olga(ask: Asker) -> Asker:
    """Ask as who administers the owner."""
    return ask.as_("olga")


def test_a_provider(olga: Asker) -> None:
    """A provider is connected, shown without its secret, changed for another kind, and disconnected."""
    assert olga("GET", PATH).refused(404, "not_found")
    made = olga("PUT", PATH, OIDC, if_match="*")
    assert made.body == {
        "kind": "oidc",
        "issuer": "https://login.example.com",
        "client_id": "us",
        "sign_in_url": f"https://pool.example/{OWNER_ID}/client-{OWNER_ID}",
    }
    assert (olga("GET", PATH).body, olga("GET", PATH).etag) == (made.body, made.etag)
    assert olga("PUT", PATH, SAML, if_match='"7"').refused(412, "version_changed")
    changed = olga("PUT", PATH, SAML, if_match=made.etag)
    assert changed.body == SAML | {"sign_in_url": made.body["sign_in_url"]}
    assert olga.house.providers.connected[OWNER_ID][0] == "saml"
    assert olga("DELETE", PATH, if_match=made.etag).refused(412, "version_changed")
    assert olga("DELETE", PATH, if_match=changed.etag).status == 204
    assert olga.house.providers.connected == {}
    assert olga("GET", PATH).refused(404, "not_found")
    lines = olga.house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER_ID}").items
    assert [line.what.partition(".")[2] for line in lines] == ["created", "changed", "removed"]
    assert "a-secret" not in str(list(olga.house.registry.records.values()))


@pytest.mark.parametrize(
    "wish",
    [
        {"kind": "ldap"},
        OIDC | {"issuer": "http://login.example.com"},
        OIDC | {"metadata_url": "https://login.example.com"},
        SAML | {"client_secret": "x"},
        {"kind": "oidc", "metadata_url": "https://login.example.com"},
        OIDC | {"issuer": "https://wrong"},
    ],
)
def test_what_is_no_provider(olga: Asker, wish: dict[str, str]) -> None:
    """What has not all that its kind takes, more than that, or can't be used, is refused and not kept."""
    assert olga("PUT", PATH, wish, if_match="*").refused(400, "invalid_request")
    assert olga("GET", PATH).refused(404, "not_found")


def test_who_may_connect_a_provider(olga: Asker) -> None:
    """Only who administers the owner."""
    grant(olga.house, "user:fia", Role.FINANCE, f"owner/{OWNER_ID}")
    for who, refusal in (("anna", (404, "not_found")), ("fia", (403, "not_allowed")), (None, (401, "not_signed_in"))):
        other = olga.as_(who)
        assert other("PUT", PATH, OIDC, if_match="*").refused(*refusal)
        assert other("GET", PATH).refused(*refusal)
        assert other("DELETE", PATH, if_match="*").refused(*refusal)


def test_a_providers_word_counts_with_its_owner(olga: Asker) -> None:
    """Who comes through the owner's provider has what the owner gives to their address, in person and through groups."""
    olga("PUT", PATH, OIDC, if_match="*")
    grant(olga.house, f"email:{email_hash('frida@example.com')}", Role.FINANCE, f"owner/{OWNER_ID}")
    member = Membership("m", OWNER_ID, email_hash("frida@example.com"), ("g",))
    olga.house.registry.commit([Put(MEMBERSHIP, None, member)])
    grant(olga.house, f"group:{OWNER_ID}/g", Role.USER, "site/s")
    told = olga.as_(FRIDA)("GET", "/v1/me/access").body
    assert {g["role"] for g in told["grants"]} == {"finance", "user"}
    assert [m["member"] for m in told["memberships"]] == ["m"]


def test_a_providers_word_counts_with_no_other_owner(olga: Asker) -> None:
    """A provider that says that somebody has an address opens nothing that another owner gives to that address."""
    olga("PUT", PATH, OIDC, if_match="*")
    house, victim = olga.house, email_hash("frida@example.com")
    house.registry.commit([Put(OWNER, None, Owner("owner2", "Other"))])
    grant(house, f"email:{victim}", Role.OWNER_ADMIN, "owner/owner2", owner="owner2")
    house.registry.commit([Put(MEMBERSHIP, None, Membership("m", "owner2", victim, ("g",)))])
    grant(house, "group:owner2/g", Role.OWNER_ADMIN, "owner/owner2", owner="owner2")
    assert olga.as_(FRIDA)("GET", "/v1/me/access").body == {"grants": [], "memberships": []}
    assert olga.as_(FRIDA)("GET", "/v1/owners/owner2/tokens").refused(404, "not_found")
    assert olga.as_("frida frida@example.com")("GET", "/v1/owners/owner2/tokens").status == 200


def test_a_provider_that_is_gone(olga: Asker) -> None:
    """When a provider is disconnected, its people are out at once; a way in that is not its own never was one."""
    olga("PUT", PATH, OIDC, if_match="*")
    assert olga.as_(FRIDA)("GET", "/v1/me").status == 200
    assert olga.as_(f"frida frida@example.com {OWNER_ID} client-other")("GET", "/v1/me").refused(401, "not_signed_in")
    assert olga.as_("frida frida@example.com other client-other")("GET", "/v1/me").refused(401, "not_signed_in")
    olga("DELETE", PATH, if_match="*")
    assert olga.as_(FRIDA)("GET", "/v1/me").refused(401, "not_signed_in")
