"""Mail by SES, over a stand-in."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from epspot.adapters.ses import SesMail
from epspot.errors import MailUnavailable

REGION = "eu-north-1"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Stand in for SES, where one address is verified."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        made = boto3.client("ses", region_name=REGION)
        made.verify_email_identity(EmailAddress="epspot@example.com")
        yield made


def test_a_mail_is_sent(client: Any) -> None:
    """A mail goes from the sender to one address, with its letters as they are."""
    mail = SesMail(client, "epspot@example.com")
    mail.check()
    mail.send("anna@example.com", "Hej å", "Text ö")
    (sent,) = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
    assert (sent.source, sent.destinations["ToAddresses"]) == ("epspot@example.com", ["anna@example.com"])
    assert (sent.subject, sent.body) == ("Hej å", "Text ö")


def test_a_mail_that_is_refused(client: Any) -> None:
    """What SES does not take is told as mail that can't be sent, with the cause behind it."""
    with pytest.raises(MailUnavailable) as told:
        SesMail(client, "unknown@example.com").send("anna@example.com", "S", "B")
    assert "anna" not in str(told.value)
    assert "MessageRejected" in type(told.value.__cause__).__name__


def test_without_a_sender(client: Any) -> None:
    """Without a sender nothing can be sent, and what to do is told."""
    mail = SesMail(client, "")
    for call in (mail.check, lambda: mail.send("anna@example.com", "S", "B")):
        with pytest.raises(MailUnavailable, match="MailFrom"):
            call()
