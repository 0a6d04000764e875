"""People sign up and in: what they are told, what they are not told, and how often they may try."""

import json

import pytest

from tests.people import CODE
from tests.unit.functions.asking import Answer, Asker
from tests.unit.functions.conftest import Logged

PASSWORD = "three-words-and-1-digit"
NEW = "nora@example.com"


@pytest.fixture
def guest(ask: Asker) -> Asker:
    """Ask as nobody."""
    return ask.as_(None)


def begin(guest: Asker, email: str = NEW, **more: str) -> str:
    """Sign up, and return the session."""
    told = guest("POST", "/v1/sign-up", {"email": email, "language": "en", "name": "Nora", **more})
    assert told.status == 202, told
    session: str = told.body["session"]
    return session


def confirm(guest: Asker, session: str, email: str = NEW, code: str = CODE) -> Answer:
    return guest("POST", "/v1/sign-up/confirm", {"email": email, "session": session, "code": code})


def ask_code(guest: Asker, email: str) -> str:
    told = guest("POST", "/v1/sign-in/code", {"email": email})
    assert told.status == 202, told
    session: str = told.body["session"]
    return session


def try_code(guest: Asker, email: str, session: str, code: str = CODE) -> Answer:
    return guest("POST", "/v1/sign-in/code/confirm", {"email": email, "session": session, "code": code})


def sign_in(guest: Asker, email: str, password: str) -> Answer:
    return guest("POST", "/v1/sign-in", {"email": email, "password": password})


# ------------------------------------------------------------------ signing up


def test_signing_up(guest: Asker) -> None:
    """Who reads the mail has an account with the chosen password, and a profile; an address has no case."""
    session = begin(guest, "Nora@Example.com", password=PASSWORD)
    assert sign_in(guest, NEW, PASSWORD).refused(401, "not_signed_in")
    assert confirm(guest, session, "NORA@example.com").status == 204
    tokens = sign_in(guest, "NORA@EXAMPLE.COM", PASSWORD)
    assert (tokens.status, tokens.body["expires_in_s"]) == (200, 3600)
    me = guest.as_(f"{tokens.body['id_token']} {NEW}")("GET", "/v1/me")
    assert (me.body["email"], me.body["name"], me.body["language"]) == (NEW, "Nora", "en")
    assert confirm(guest, session).refused(400, "wrong_code")


def test_without_a_password(guest: Asker) -> None:
    """Who gives no password has one that nobody knows, and signs in by code."""
    assert confirm(guest, begin(guest)).status == 204
    assert len(guest.house.identity.users[NEW].password) > 40
    assert try_code(guest, NEW, ask_code(guest, NEW)).status == 200


def test_easy_passwords(guest: Asker) -> None:
    """A password that is short, or of one kind, is refused with what it takes, whether the address is known or not."""
    for password in ("short-1", "only-letters-here", "ONLY-LARGE-ONES-1"):
        for email in (NEW, "anna@example.com"):
            said = {"email": email, "language": "sv", "password": password}
            assert guest("POST", "/v1/sign-up", said).refused(400, "invalid_request")
            said = {"email": email, "code": CODE, "password": password}
            assert guest("POST", "/v1/password/reset", said).refused(400, "invalid_request")
    assert guest.house.identity.sent == []


def test_a_known_address_is_told_to_its_reader_only(guest: Asker) -> None:
    """Who signs up with another's address gets the same answer, and changes nothing; the address is sent a word."""
    session = begin(guest, "anna@example.com", password=PASSWORD)
    assert confirm(guest, session, "anna@example.com").refused(400, "wrong_code")
    assert sign_in(guest, "anna@example.com", "right").status == 200
    ((to, subject, _),) = guest.house.mail.sent
    assert (to, subject) == ("anna@example.com", "You have an account at EpSpot")
    guest.house.mail.closed = True
    assert begin(guest, "anna@example.com")


def test_nobody_confirms_a_strangers_password(guest: Asker) -> None:
    """Who signed up last with an address, and only they, confirm it: a stranger's password for it never holds."""
    stranger = begin(guest, password="a-strangers-password-1")
    mine = begin(guest, password=PASSWORD)
    assert confirm(guest, stranger).refused(400, "wrong_code")
    assert confirm(guest, mine).status == 204
    assert sign_in(guest, NEW, "a-strangers-password-1").refused(401, "not_signed_in")
    assert sign_in(guest, NEW, PASSWORD).status == 200

    mine = begin(guest, "other@example.com", password=PASSWORD)
    begin(guest, "other@example.com", password="a-strangers-password-1")
    assert confirm(guest, mine, "other@example.com").refused(400, "wrong_code")
    assert sign_in(guest, "other@example.com", "a-strangers-password-1").refused(401, "not_signed_in")


def test_a_sign_up_is_over_after_a_day(guest: Asker) -> None:
    """A code that comes a day too late confirms nothing."""
    session = begin(guest)
    guest.house.clock.at += 24 * 3600
    assert confirm(guest, session).refused(400, "wrong_code")


def test_wrong_codes(guest: Asker) -> None:
    """A wrong code confirms nothing, and the right one still does."""
    session = begin(guest)
    assert confirm(guest, session, code="654321").refused(400, "wrong_code")
    assert confirm(guest, session, code="12345").refused(400, "invalid_request")
    assert guest("POST", "/v1/sign-up/resend", {"email": NEW}).status == 202
    assert guest.house.identity.sent == [("sign_up", NEW)] * 2
    assert confirm(guest, session).status == 204


# ------------------------------------------------------------------ signing in


def test_signing_in_by_code(guest: Asker) -> None:
    """The code lets in after a wrong try too, with the same session, and once."""
    session = ask_code(guest, "Anna@example.com")
    assert try_code(guest, "anna@example.com", session, "000000").refused(401, "not_signed_in")
    told = try_code(guest, "anna@example.com", session)
    assert (told.status, told.body["id_token"]) == (200, "anna")
    assert try_code(guest, "anna@example.com", session).refused(401, "not_signed_in")


def test_three_tries(guest: Asker) -> None:
    """After three wrong tries the right code lets nobody in."""
    session = ask_code(guest, "anna@example.com")
    for _ in range(3):
        assert try_code(guest, "anna@example.com", session, "000000").refused(401, "not_signed_in")
    assert try_code(guest, "anna@example.com", session).refused(401, "not_signed_in")


def test_a_session_belongs_to_its_address_and_time(guest: Asker) -> None:
    """A code is of no use for another address, with another session, or after five minutes."""
    confirm(guest, begin(guest))
    session = ask_code(guest, "anna@example.com")
    assert try_code(guest, NEW, session).refused(401, "not_signed_in")
    assert try_code(guest, "anna@example.com", "x" * 43).refused(401, "not_signed_in")
    guest.house.clock.at += 300
    assert try_code(guest, "anna@example.com", session).refused(401, "not_signed_in")


def test_nothing_tells_who_is_known(guest: Asker) -> None:
    """Known, unknown and unconfirmed addresses are answered alike, but for the sessions."""
    begin(guest)
    seen = []
    for email in ("anna@example.com", NEW, "nobody@example.com"):
        session = ask_code(guest, email)
        told = [
            try_code(guest, email, session, "000000"),
            sign_in(guest, email, "a-wrong-password-1"),
            guest("POST", "/v1/password/forgot", {"email": email}),
            guest("POST", "/v1/password/reset", {"email": email, "code": "000000", "password": PASSWORD}),
            guest("POST", "/v1/sign-up/resend", {"email": email}),
            confirm(guest, session, email, "000000"),
        ]
        seen.append((len(session), [(t.status, {**(t.body or {}), "request_id": ""}) for t in told]))
    assert seen[0] == seen[1] == seen[2]


def test_without_a_sender_there_are_no_codes(guest: Asker) -> None:
    """While no mail can be sent, asking for a code says so and what to do, to known and unknown alike."""
    guest.house.mail.closed = True
    for email in ("anna@example.com", "nobody@example.com"):
        assert guest("POST", "/v1/sign-in/code", {"email": email}).refused(503, "mail_unavailable")
    assert guest.house.identity.sent == []


def test_staying_signed_in_and_signing_out(guest: Asker) -> None:
    """A refresh token gives new tokens until it is signed out, which may be said twice."""
    refresh = {"refresh_token": sign_in(guest, "anna@example.com", "right").body["refresh_token"]}
    again = guest("POST", "/v1/sign-in/refresh", refresh)
    assert (again.status, again.body["id_token"], again.body["refresh_token"]) == (200, "anna", None)
    assert [guest("POST", "/v1/sign-out", refresh).status for _ in range(2)] == [204, 204]
    assert guest("POST", "/v1/sign-in/refresh", refresh).refused(401, "not_signed_in")
    assert guest("POST", "/v1/sign-in/refresh", {"refresh_token": "x"}).refused(401, "not_signed_in")


def test_a_new_password(guest: Asker) -> None:
    """The code from the mail sets a new password, once."""
    reset = {"email": "anna@example.com", "code": CODE, "password": PASSWORD}
    assert guest("POST", "/v1/password/reset", reset).refused(400, "wrong_code")
    assert guest("POST", "/v1/password/forgot", {"email": "Anna@example.com"}).status == 202
    assert guest("POST", "/v1/password/reset", reset).status == 204
    assert sign_in(guest, "anna@example.com", PASSWORD).status == 200
    assert sign_in(guest, "anna@example.com", "right").refused(401, "not_signed_in")
    assert guest("POST", "/v1/password/reset", reset).refused(400, "wrong_code")


# ------------------------------------------------------------------ how often


@pytest.mark.parametrize("email", ["anna@example.com", "nobody@example.com"])
def test_guessing_is_throttled_by_address(guest: Asker, email: str) -> None:
    """After ten tries with an address nothing is tried, not even what is right, until the quarter is over."""
    for _ in range(10):
        assert sign_in(guest, email, "wrong").refused(401, "not_signed_in")
    told = sign_in(guest, email, "right")
    assert told.refused(429, "too_often")
    assert told.headers["Retry-After"] == "900"
    assert sign_in(guest, "other@example.com", "wrong").refused(401, "not_signed_in")
    guest.house.clock.at += 900
    assert sign_in(guest, "anna@example.com", "right").status == 200


def test_guessing_is_throttled_by_source(guest: Asker) -> None:
    """Who tries one address after the other from one place is stopped as well."""
    told = [sign_in(guest, f"somebody{n}@example.com", "wrong").status for n in range(301)]
    assert told == [401] * 300 + [429]


def test_mails_are_throttled(guest: Asker) -> None:
    """An address is sent ten mails an hour at most, whatever for."""
    for _ in range(5):
        ask_code(guest, "anna@example.com")
        assert guest("POST", "/v1/password/forgot", {"email": "anna@example.com"}).status == 202
    for path in ("sign-in/code", "password/forgot", "sign-up/resend"):
        assert guest("POST", f"/v1/{path}", {"email": "anna@example.com"}).refused(429, "too_often")
    said = {"email": "anna@example.com", "language": "sv"}
    assert guest("POST", "/v1/sign-up", said).refused(429, "too_often")


def test_codes_are_throttled(guest: Asker) -> None:
    """Codes for one address can't be guessed with ever new sessions."""
    session = ask_code(guest, "anna@example.com")
    for _ in range(10):
        try_code(guest, "anna@example.com", "x" * 43, "000000")
    assert try_code(guest, "anna@example.com", session).refused(429, "too_often")
    assert confirm(guest, session, "anna@example.com").refused(429, "too_often")


def test_nothing_personal_is_logged(guest: Asker, logged: Logged) -> None:
    """Neither addresses, passwords, codes nor tokens stand in the log."""
    confirm(guest, begin(guest, password=PASSWORD))
    sign_in(guest, NEW, PASSWORD)
    try_code(guest, NEW, ask_code(guest, NEW))
    told = json.dumps(logged())
    assert "/v1/sign-in" in told
    assert not [word for word in ("nora", PASSWORD, CODE, "refresh ") if word in told]


def test_what_is_kept_of_a_sign_in_is_no_way_in(guest: Asker) -> None:
    """Of a session, only a hash is kept."""
    sessions = [begin(guest), ask_code(guest, "anna@example.com")]
    kept = str([record for _, record in guest.house.registry.records.values()])
    assert "ATTEMPT#" in str(list(guest.house.registry.records))
    assert not [s for s in sessions if s in kept]


def test_a_second_code_at_once(guest: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """When two tries with one session meet, the answer is the pool's, and nothing fails."""
    house = guest.house
    session = ask_code(guest, "anna@example.com")
    commit = house.registry.commit
    met: list[bool] = []

    def commit_after_another(changes: list[object]) -> None:
        if not met:
            met.append(True)
            commit(changes)  # type: ignore[arg-type]  # passed on as it came
        commit(changes)  # type: ignore[arg-type]

    monkeypatch.setattr(house.registry, "commit", commit_after_another)
    assert try_code(guest, "anna@example.com", session).status == 200
