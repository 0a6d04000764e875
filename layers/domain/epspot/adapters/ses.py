"""Mail by SES."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from epspot.errors import MailUnavailable


class SesMail:
    """``Mail`` by SES, from one sender; without a sender nothing can be sent."""

    def __init__(self, client: Any, sender: str) -> None:
        self._client = client
        self._sender = sender

    def check(self) -> None:
        """Find out whether mail can be sent at all. Raises MailUnavailable."""
        if not self._sender:
            raise MailUnavailable(
                "No mail is sent here yet: sign in with a password, or have the sender (MailFrom) configured.",
                "Här skickas ännu ingen e-post: logga in med lösenord, eller be om att avsändaren (MailFrom) ställs in.",
            )

    def send(self, to: str, subject: str, body: str) -> None:
        """Send a mail of plain text. Raises MailUnavailable."""
        self.check()
        try:
            self._client.send_email(
                Source=self._sender,
                Destination={"ToAddresses": [to]},
                Message={
                    "Subject": {"Data": subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": body, "Charset": "UTF-8"}},
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise MailUnavailable(
                "The mail could not be sent. Try again later.", "Mejlet kunde inte skickas. Försök igen senare."
            ) from error
