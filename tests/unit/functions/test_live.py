"""Addresses at which news come by themselves, and who may have them."""

from dataclasses import replace
from typing import Any

import pytest

from epspot.access import Role
from epspot.registry.kinds import Put
from epspot.registry.records import TOKEN, Token
from epspot.services.change_site import edit_site
from epspot.services.show_token import secret_hash, token_text
from tests.unit.functions.asking import Asker
from tests.unit.functions.conftest import grant

PUBLIC, USERS, OWNER = ({"site": "s", "channel": name} for name in ("public", "users", "owner"))


def publish(ask: Asker) -> None:
    """Make the first outlet public."""
    edit_site(
        ask.house.controller,
        ask.house.clock,
        "s",
        lambda s: (replace(s, outlets=(replace(s.outlets[0], public=True), *s.outlets[1:])), ()),
    )


def topics(ask: Asker) -> set[str]:
    """List the topics on which something was told."""
    return {topic for topic, _ in ask.house.live_topics.told}


def test_guests_listen_to_public_outlets(ask: Asker) -> None:
    """A guest gets an address for one topic, and the site is watched from then on."""
    publish(ask)
    told = ask.as_(None)("POST", "/v1/live", PUBLIC)
    assert told.status == 200
    assert told.body == {
        "address": "ws://localhost/mqtt?s",
        "client_id": "listener",
        "topics": ["s/public"],
        "expires_at": "2027-01-15T08:15:00.000+00:00",
        "watched_until": "2027-01-15T08:01:30.000+00:00",
    }
    assert topics(ask) == {"s/public"}


@pytest.mark.parametrize("path", ["/v1/live", "/v1/live/renewals"])
@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        (None, PUBLIC, 404),
        (None, USERS, 401),
        (None, OWNER, 401),
        (None, {"session": "x"}, 401),
        ("anna", PUBLIC, 404),
        ("anna", USERS, 200),
        ("anna", OWNER, 404),
        ("anna", {"session": "x"}, 404),
        ("eva", USERS, 404),
        ("eva", OWNER, 404),
        ("olga", OWNER, 200),
        ("olga", {"site": "t", "channel": "owner"}, 404),
        ("olga", {"site": "s"}, 400),
        ("olga", {"channel": "owner"}, 400),
        ("olga", {}, 400),
        ("olga", {"site": "s", "channel": "all"}, 400),
        ("olga", {"site": "s", "session": "x"}, 400),
        ("olga", {"site": "+", "channel": "owner"}, 404),
    ],
)
def test_who_may_listen_to_what(ask: Asker, path: str, who: str | None, body: dict[str, Any], status: int) -> None:
    """Each channel has those who may hear it; a refusal watches nothing."""
    assert ask.as_(who)("POST", path, body).status == status
    assert bool(ask.house.live().listened) == (status == 200)


def test_a_right_to_some_outlets_is_none_to_the_sites_channel(ask: Asker) -> None:
    """Who may use one outlet does not hear what happens at the others."""
    grant(ask.house, "user:eva", Role.USER, "outlet/s-1")
    assert ask.as_("eva")("POST", "/v1/live", USERS).status == 404


def test_a_session_is_its_users(ask: Asker) -> None:
    """A session is heard by its user and by who may view its outlet, and by nobody else."""
    session = ask("POST", "/v1/sessions", {"outlet": "s-1"}).body["id"]
    own = ask("POST", "/v1/live", {"session": session})
    assert (own.status, own.body["topics"]) == (200, [f"s/session/{session}"])
    assert ask.as_("olga")("POST", "/v1/live", {"session": session}).status == 200
    for who in (None, "eva"):
        assert ask.as_(who)("POST", "/v1/live", {"session": session}).status in (401, 404)
    assert topics(ask) == {f"s/session/{session}"}


def test_guests_hear_no_session_that_is_nobodys(ask: Asker) -> None:
    """A session that began by itself has no user: a guest is not taken for that."""
    session = ask("POST", "/v1/sessions", {"outlet": "s-1"}).body["id"]
    records = ask.house.sessions.records
    records[session] = replace(records[session], user="")
    assert ask.as_(None)("POST", "/v1/live", {"session": session}).refused(401, "not_signed_in")


def test_nothing_more_comes_of_an_ended_session(ask: Asker) -> None:
    """Listening to a session that has ended is refused."""
    session = ask("POST", "/v1/sessions", {"outlet": "s-1"}).body["id"]
    records = ask.house.sessions.records
    records[session] = replace(records[session], state="ended")
    assert ask("POST", "/v1/live", {"session": session}).refused(409, "session_over")


def test_what_comes_live_is_what_asking_shows(ask: Asker) -> None:
    """Every field of a session that comes live is the same as in the answer of the API."""
    session = ask("POST", "/v1/sessions", {"outlet": "s-1"}).body["id"]
    ask("POST", "/v1/live", {"session": session})
    ((_, live),) = ask.house.live_topics.told
    shown = ask("GET", f"/v1/sessions/{session}").body
    assert live == {name: shown[name] for name in live}


def test_a_renewal_prolongs_and_signs_nothing(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going on costs no new address, and no write before the last half."""
    ask("POST", "/v1/live", USERS)
    monkeypatch.delattr(ask.house.live_addresses.__class__, "sign")
    version = ask.house.live().version
    ask.house.clock.at += 30
    assert ask("POST", "/v1/live/renewals", USERS).body == {"watched_until": "2027-01-15T08:01:30.000+00:00"}
    assert ask.house.live().version == version
    ask.house.clock.at += 30
    assert ask("POST", "/v1/live/renewals", USERS).body == {"watched_until": "2027-01-15T08:02:30.000+00:00"}


def test_guests_who_ask_too_often_wait(ask: Asker) -> None:
    """An address on the net is counted as one; a user is counted apart from it."""
    publish(ask)
    for _ in range(60):
        assert ask.as_(None)("POST", "/v1/live", PUBLIC).status == 200
    told = ask.as_(None)("POST", "/v1/live/renewals", PUBLIC)
    assert told.refused(429, "too_often")
    assert told.headers["Retry-After"]
    assert ask("POST", "/v1/live", PUBLIC).status == 200
    assert "192.0.2.1" not in str(ask.house.throttle.counts)


def test_a_token_listens_as_far_as_it_reaches(ask: Asker) -> None:
    """A token with the right to view a site hears its owner's channel."""
    token = Token("tok", "owner1", "Display", secret_hash("secret"), ("view",), "site/s")
    ask.house.registry.commit([Put(TOKEN, None, token)])
    display = ask.as_(token_text("tok", "secret"))
    assert display("POST", "/v1/live", OWNER).status == 200
    assert display("POST", "/v1/live", USERS).status == 403
