"""What owners' systems are told: which facts, once each, signed, and again until they arrive."""

import base64
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from epspot.errors import Conflict, InvalidRequest, NotFound, TooOften
from epspot.notices.signature import secret_text, signed
from epspot.notices.webhooks import EVENTS, MOST_BYTES, body_of, message_id
from epspot.registry.records import AUDIT_LINE
from epspot.registry.webhooks import DELIVERY, START, WEBHOOK, Delivery, Webhook, of_webhook
from epspot.services.change_webhooks import (
    MOST,
    Wanted,
    change_webhook,
    find_webhook,
    list_webhooks,
    register_webhook,
    remove_webhook,
    rotate_secret,
)
from epspot.services.changing import Actor
from epspot.services.deliver_webhook import JITTER, TRIED_FOR_S, WAITS_S, Reminder, deliver_webhook, wait_s
from epspot.services.send_webhook import MOST_BY_HAND, find_delivery, list_deliveries, send_again, send_test
from epspot.services.start_session import start_session
from epspot.services.stop_session import stop_session
from epspot.services.tell_webhooks import Happened, tell_webhooks
from tests.fakes import FakeIds
from tests.unit.services.house import House

URL = "https://hooks.example/epspot"
OWNER = "owner1"


@pytest.fixture
def house() -> House:
    """Open a site, now: who verifies a signature looks at the clock."""
    made = House()
    made.clock.at = float(int(time.time()))
    return made.open(owner=OWNER)


def actor(house: House) -> Actor:
    return Actor("user:olga", house.clock.at)


def hooked(house: House, *events: str, url: str = URL) -> Webhook:
    """Register a webhook."""
    return register_webhook(house.hooking, actor(house), OWNER, Wanted(url, events or EVENTS))


def happened(kind: str = "session.ended", position: int = 0, **more: Any) -> Happened:
    """Make a fact as the bus brings it."""
    detail = {"outlet": "s-1", "reason": "stopped", "energy_wh": 70, "start_wh": 1000, "end_wh": 1070}
    fact = Happened(f"s/9/{position}", kind, "s", 1_800_000_000.5, "session-1", detail)
    return replace(fact, **more)


def log(house: House, hook: Webhook) -> list[Delivery]:
    """List what was sent to a webhook."""
    return list(list_deliveries(house.hooking, hook, 1000, None).items)


def remind(house: House) -> list[str]:
    """Let every reminder come that waits; return what came of each."""
    waiting, house.deliveries.reminders = house.deliveries.reminders, []
    return [deliver_webhook(house.hooking, Reminder(*about)) for *about, _ in waiting]


def seen(house: House, hook: Webhook) -> dict[str, Any]:
    """Read what was sent last, as a receiver does: nothing is believed that is not signed."""
    _, body, headers, _ = house.posting.sent[-1]
    told: dict[str, Any] = Verifier(hook.secret).verify(body, dict(headers))
    return told


# ------------------------------------------------------------------ the signature


def test_another_implementation_verifies_what_we_sign(house: House) -> None:
    """A message is verified by the reference library, and not when anything of it is changed."""
    secret = secret_text("A" * 43)
    body, at = '{"å":1}'.encode(), house.clock.at
    headers = signed([secret], "m1", at, body)
    assert Verifier(secret).verify(body, headers) == {"å": 1}
    for wrong in (
        (body + b" ", headers),
        (body, headers | {"webhook-id": "m2"}),
        (body, headers | {"webhook-timestamp": str(int(at) - 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Verifier(secret).verify(*wrong)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret_text("B" * 43)).verify(body, headers)


def test_a_secret_has_256_bits() -> None:
    """A signing secret is as long as the reference says, whatever is drawn for it."""
    for chance in (FakeIds().secret(), "-_" * 21 + "A"):
        assert len(base64.b64decode(secret_text(chance).removeprefix("whsec_"))) == 32


def test_both_secrets_hold_for_a_day(house: House) -> None:
    """After a change of the secret a message is verified by the old one too, for a day."""
    old = hooked(house)
    new = rotate_secret(house.hooking, actor(house), old)
    assert new.secret != old.secret
    for later, holds in ((0.0, True), (86_401.0, False)):
        house.clock.at += later
        send_test(house.hooking, actor(house), new)
        remind(house)
        _, body, headers, _ = house.posting.sent[-1]
        assert len(headers["webhook-signature"].split()) == (2 if holds else 1)
    house.clock.at -= 86_401.0
    _, body, headers, _ = house.posting.sent[0]
    assert Verifier(old.secret).verify(body, dict(headers)) == Verifier(new.secret).verify(body, dict(headers))


# ------------------------------------------------------------------ what is told


def test_a_session_is_told_from_its_start_to_its_end(house: House) -> None:
    """What control says of a session arrives as started and ended, with what its system calls it and nobody's name."""
    hook = hooked(house)
    session = start_session(house.starting, "token:t1", "s-1", "key", reference="ticket 7").record.id
    house.note()
    tell_all(house)
    remind(house)
    started = seen(house, hook)
    assert (started["type"], started["owner"], started["site"]) == ("session.started", OWNER, "s")
    assert started["data"] == {
        "session": session,
        "outlet": "s-1",
        "number": "1",
        "requested_at": started["at"],
        "reference": "ticket 7",
        "token": "t1",
    }
    stop_session(house.following, "token:t1", session)
    house.clock.at += 1
    house.take(house.frame())
    tell_all(house)
    remind(house)
    ended = seen(house, hook)
    assert ended["type"] == "session.ended"
    assert (ended["data"]["reference"], ended["data"]["reason"], ended["data"]["energy_wh"]) == (
        "ticket 7",
        "stopped",
        0,
    )
    assert len(log(house, hook)) == 2


def tell_all(house: House) -> None:
    """Let every fact that was ever committed come over the bus, as it may come again."""
    for n in house.lives.outbox:
        tell_webhooks(house.telling, Happened(n.id, n.fact.kind, n.site, n.at, n.fact.about, n.fact.detail))


def test_whose_a_session_is_is_not_told(house: House) -> None:
    """Of a user's session nothing is told by which the user could be known."""
    hook = hooked(house)
    start_session(house.starting, "anna-4711", "s-1", "key")
    tell_all(house)
    remind(house)
    assert seen(house, hook)["data"]["reference"] is None
    assert seen(house, hook)["data"]["token"] is None
    assert b"anna" not in house.posting.sent[-1][1]


def test_a_session_starts_once_whatever_turns_it_has(house: House) -> None:
    """The second turn of a session is no start, also when the first comes again."""
    hook = hooked(house)
    first = happened("session.active", detail={"outlet": "s-1"})
    second = replace(first, id="s/12/0", at=first.at + 900)
    assert [tell_webhooks(house.telling, f) for f in (first, second, second)] == [1, 0, 0]
    assert tell_webhooks(house.telling, first) == 1  # whoever wrote it may not have come as far as having it sent
    remind(house)
    assert [tell_webhooks(house.telling, f) for f in (first, second)] == [0, 0]
    assert [d.at for d in log(house, hook)] == [first.at]
    assert house.registry.get(START, of_webhook(hook.id), "session-1") is not None


def test_a_fact_is_one_message_at_each_webhook(house: House) -> None:
    """However often a fact comes it is one message, under an id of its own at every webhook that wants it."""
    first, second = hooked(house, "session.ended"), hooked(house, "alarm.raised", "session.ended")
    hooked(house, "alarm.raised")
    assert tell_webhooks(house.telling, happened()) == 2
    remind(house)
    assert tell_webhooks(house.telling, happened()) == 0
    (one,), (two,) = log(house, first), log(house, second)
    assert one.id != two.id
    assert [json.loads(body)["id"] for _, body, _, _ in house.posting.sent] == [one.id, two.id]
    assert [headers["webhook-id"] for _, _, headers, _ in house.posting.sent] == [one.id, two.id]


def test_an_alarm_is_told_with_its_figures(house: House) -> None:
    """Code, subject, severity and figures of an alarm arrive as the catalogue has them."""
    hook = hooked(house, "alarm.raised")
    alarm = {
        "code": "relay_welded",
        "severity": "danger",
        "certainty": "certain",
        "since": 1_800_000_000.0,
        "session": "x",
        "detail": {"current_a": 3.5},
    }
    tell_webhooks(house.telling, happened("alarm.raised", about="s-1", detail=alarm))
    remind(house)
    assert seen(house, hook)["data"] == {
        "code": "relay_welded",
        "about": "s-1",
        "severity": "danger",
        "certainty": "certain",
        "since": "2027-01-15T08:00:00.000+00:00",
        "detail": {"current_a": 3.5},
    }


@pytest.mark.parametrize(
    "fact",
    [
        happened("session.queued"),
        happened("registers.recorded"),
        happened(site="unknown"),
        happened("alarm.raised"),
    ],
)
def test_other_facts_are_nobody_s_concern(house: House, fact: Happened) -> None:
    """Facts of other kinds, of other sites, and of events that no webhook wants become no message."""
    hooked(house, "session.ended")
    assert tell_webhooks(house.telling, fact) == 0
    assert house.deliveries.reminders == []


def test_a_fact_that_could_not_be_written_comes_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is not written down is not sent either, and whoever brought the fact is told."""
    hooked(house)

    def busy(_: object) -> None:
        raise Conflict("busy")

    monkeypatch.setattr(house.registry, "commit", busy)
    for kind in ("session.ended", "session.active"):
        with pytest.raises(Conflict):
            tell_webhooks(house.telling, happened(kind))
    assert house.deliveries.reminders == []


def test_other_owners_hear_nothing(house: House) -> None:
    """What happens at an owner's site is told to that owner's webhooks alone."""
    foreign = register_webhook(house.hooking, actor(house), "owner2", Wanted(URL, EVENTS))
    assert tell_webhooks(house.telling, happened()) == 0
    assert log(house, foreign) == []


def test_an_inactive_webhook_is_told_nothing(house: House) -> None:
    """What an owner has switched off stays silent."""
    hook = hooked(house)
    change_webhook(house.hooking, actor(house), hook, Wanted(URL, EVENTS, active=False))
    assert tell_webhooks(house.telling, happened()) == 0


def test_a_large_message_leaves_its_detail_out() -> None:
    """No message is larger than 64 KB, and its form stays."""
    told = body_of("m", "alarm.raised", 0.0, owner="o", site="s", data={"code": "x", "detail": ["å" * 70_000]})
    assert len(told.encode()) <= MOST_BYTES
    assert json.loads(told)["data"] == {"code": "x", "detail": None}


@given(st.floats(0, 9e9), st.floats(0.002, 1e8), st.text(max_size=5))
def test_newer_messages_have_smaller_ids(at: float, later: float, fact: str) -> None:
    """Ids sort from the newest to the oldest, and the same fact has the same."""
    assert message_id("w", fact, at + later) < message_id("w", fact, at)
    assert message_id("w", fact, at) == message_id("w", fact, at) != message_id("v", fact, at)


# ------------------------------------------------------------------ until it arrives


def test_what_has_not_arrived_is_sent_again(house: House) -> None:
    """A refusal and a silence are each followed by another attempt, later and later; an answer of 2xx is the end."""
    hook = hooked(house)
    send_test(house.hooking, actor(house), hook)
    house.posting.answers = [500, "timeout", 302, 204]
    waits = []
    for status, problem in ((500, ""), (None, "timeout"), (302, "")):
        assert remind(house) == ["retried"]
        (told,) = log(house, hook)
        assert (told.status, told.answered, told.problem) == ("pending", status, problem)
        waits.append(house.deliveries.reminders[0][3])
        assert told.next_at == house.clock.at + waits[-1]
        assert find_webhook(house.hooking, OWNER, hook.id).failing_since is not None
        house.clock.at += waits[-1]
    for wait, longest in zip(waits, WAITS_S, strict=False):
        assert longest * (1 - JITTER) <= wait <= longest
    assert remind(house) == ["delivered"]
    (told,) = log(house, hook)
    assert (told.status, told.attempts, told.answered, told.next_at) == ("delivered", 4, 204, None)
    assert house.deliveries.reminders == []
    assert find_webhook(house.hooking, OWNER, hook.id).failing_since is None
    assert len({headers["webhook-id"] for _, _, headers, _ in house.posting.sent}) == 1


def test_no_wait_is_longer_than_the_queue_s() -> None:
    """Waits vary by delivery and never exceed a quarter of an hour."""
    waits = {wait_s(f"d{n}", 9) for n in range(50)}
    assert len(waits) > 40
    assert all(900 * (1 - JITTER) <= w <= 900 for w in waits)


def test_after_a_day_it_is_given_up(house: House) -> None:
    """What fails for a day is tried no more; the log and people are told."""
    hook = hooked(house)
    tell_webhooks(house.telling, happened())
    begun = house.clock.at
    house.posting.answers = [503] * 1000
    while house.deliveries.reminders:
        house.clock.at += house.deliveries.reminders[0][3]
        remind(house)
    (told,) = log(house, hook)
    assert told.status == "given_up"
    assert TRIED_FOR_S <= house.clock.at - begun <= TRIED_FOR_S + 900
    assert house.deliveries.given_up == [(OWNER, hook.id, told.id, "answered 503")]


def test_a_reminder_that_comes_too_early_is_put_back(house: House) -> None:
    """Nothing is sent before its time; a second reminder of the same makes no second attempt."""
    hook = hooked(house)
    send_test(house.hooking, actor(house), hook)
    house.posting.answers = [500]
    about = house.deliveries.reminders[0]
    house.deliveries.reminders.append(about)
    assert remind(house) == ["retried", "put_back"]
    assert len(house.posting.sent) == 1
    first, second = (after_s for *_, after_s in house.deliveries.reminders)
    assert 0 < second == first <= 5
    house.clock.at += 6
    assert remind(house) == ["delivered", "dropped"]
    assert len(house.posting.sent) == 2


def test_who_is_gone_is_told_no_more(house: House) -> None:
    """An answer of 410 switches the webhook off, with a line in the audit log; what waits is not sent."""
    hook = hooked(house)
    for n in (1, 2):
        tell_webhooks(house.telling, happened(position=n))
    house.posting.answers = [410]
    assert remind(house) == ["failed", "failed"]
    assert len(house.posting.sent) == 1
    assert sorted((d.answered, d.problem) for d in log(house, hook) if d.answered) == [(410, "")]
    assert [d.problem for d in log(house, hook) if not d.answered] == ["inactive"]
    assert not find_webhook(house.hooking, OWNER, hook.id).active
    lines = house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER}").items
    assert [(a.by, a.what) for a in lines if a.by == "system"] == [("system", "webhook.deactivated")]
    # Switched on again, and sent again.
    back = change_webhook(house.hooking, actor(house), find_webhook(house.hooking, OWNER, hook.id), Wanted(URL, EVENTS))
    send_again(house.hooking, actor(house), back, log(house, hook)[0].id)
    assert remind(house) == ["delivered"]


def test_what_is_sent_again_begins_anew(house: House) -> None:
    """A message of the log is sent once more on the owner's word, under its id, and tried for a day again."""
    hook = hooked(house)
    tell_webhooks(house.telling, happened())
    remind(house)
    house.clock.at += 10 * 86_400
    (done,) = log(house, hook)
    again = send_again(house.hooking, actor(house), hook, done.id)
    assert (again.status, again.attempts, again.body) == ("pending", 0, done.body)
    house.posting.answers = [500]
    assert remind(house) == ["retried"]
    assert house.posting.sent[-1][2]["webhook-id"] == done.id
    with pytest.raises(NotFound):
        send_again(house.hooking, actor(house), hook, "unknown")


def test_messages_by_hand_are_counted(house: House) -> None:
    """Tests and repeats have a most in an hour together, so that nobody's messages wait behind thousands."""
    hook = hooked(house)
    sent = [send_test(house.hooking, actor(house), hook) for _ in range(MOST_BY_HAND - 1)]
    send_again(house.hooking, actor(house), hook, sent[0].id)
    with pytest.raises(TooOften):
        send_test(house.hooking, actor(house), hook)
    with pytest.raises(TooOften):
        send_again(house.hooking, actor(house), hook, sent[1].id)
    house.clock.at += 3600
    send_test(house.hooking, actor(house), hook)


def test_what_another_has_sent_meanwhile_is_noted_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that send the same at once both may, but one of them alone writes down what came of it."""
    hook = hooked(house)
    sent = send_test(house.hooking, actor(house), hook)
    about = Reminder(OWNER, hook.id, sent.id)
    post, outcomes = house.posting.post, []

    def meanwhile(*args: Any) -> Any:
        monkeypatch.setattr(house.posting, "post", post)
        outcomes.append(deliver_webhook(house.hooking, about))
        return post(*args)

    monkeypatch.setattr(house.posting, "post", meanwhile)
    outcomes.append(deliver_webhook(house.hooking, about))
    assert outcomes == ["delivered", "dropped"]
    assert find_delivery(house.hooking, hook, sent.id).attempts == 1


def test_the_owner_s_change_stands(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the owner changes while a message is under way is not undone by how the message fares."""
    hook = hooked(house)
    send_test(house.hooking, actor(house), hook)
    post = house.posting.post

    def meanwhile(*args: Any) -> Any:
        rotate_secret(house.hooking, actor(house), hook)
        return post(*args)

    monkeypatch.setattr(house.posting, "post", meanwhile)
    house.posting.answers = [500]
    assert remind(house) == ["retried"]
    kept = find_webhook(house.hooking, OWNER, hook.id)
    assert (kept.secret != hook.secret, kept.failing_since) == (True, None)


# ------------------------------------------------------------------ keeping them


def test_a_webhook_that_is_taken_away_gets_nothing_more(house: House) -> None:
    """What was under way to it is dropped."""
    hook = hooked(house)
    tell_webhooks(house.telling, happened())
    remove_webhook(house.hooking, actor(house), hook)
    assert remind(house) == ["dropped"]
    assert house.posting.sent == []
    with pytest.raises(NotFound):
        find_webhook(house.hooking, OWNER, hook.id)


def test_where_a_webhook_may_lead_is_checked(house: House) -> None:
    """An address to which nothing is sent is refused at once, and nothing is written."""
    with pytest.raises(InvalidRequest):
        hooked(house, url="https://private.example/")
    assert list_webhooks(house.hooking, OWNER) == ()
    hook = hooked(house)
    with pytest.raises(InvalidRequest):
        change_webhook(house.hooking, actor(house), hook, Wanted("http://hooks.example/", EVENTS))


def test_an_owner_has_a_few_webhooks(house: House) -> None:
    """Beyond the most there is no further one."""
    for _ in range(MOST):
        hooked(house)
    with pytest.raises(InvalidRequest, match=str(MOST)):
        hooked(house)


def test_no_secret_stands_in_the_audit_log(house: House) -> None:
    """Every change leaves a line, and no line a secret or what was told."""
    hook = hooked(house)
    changed = change_webhook(house.hooking, actor(house), hook, Wanted(URL, ("session.ended",)))
    rotated = rotate_secret(house.hooking, actor(house), changed)
    sent = send_test(house.hooking, actor(house), rotated)
    send_again(house.hooking, actor(house), rotated, sent.id)
    remove_webhook(house.hooking, actor(house), rotated)
    lines = house.registry.under(AUDIT_LINE, f"AUDIT#{OWNER}").items
    assert sorted(a.what.partition(".")[2] for a in lines) == sorted(
        ["created", "changed", "secret_rotated", "tested", "resent", "removed"]
    )
    text = str(lines)
    assert hook.secret not in text
    assert rotated.secret not in text
    assert "webhook-id" not in text
    assert sent.body not in text


def test_a_lost_race_is_told(house: House) -> None:
    """Who changes what another has changed meanwhile is refused."""
    hook = hooked(house)
    rotate_secret(house.hooking, actor(house), hook)
    with pytest.raises(Conflict):
        change_webhook(house.hooking, actor(house), hook, Wanted(URL, EVENTS))


def test_records_end_by_themselves(house: House) -> None:
    """A delivery vanishes after 30 days, a webhook never."""
    hook = hooked(house)
    sent = send_test(house.hooking, actor(house), hook)
    assert DELIVERY.expires_at(sent) == sent.at + 30 * 86_400
    assert WEBHOOK.expires_at(hook) is None
