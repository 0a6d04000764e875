"""The mails that carry codes, in Swedish and English. A mail says what it is for, and what to do if one did not ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LANGUAGES = ("sv", "en")


class Letter(StrEnum):
    """What a mail is for."""

    SIGN_IN = "sign_in"
    SIGN_UP = "sign_up"
    PASSWORD = "password"  # noqa: S105 - a mail about one
    KNOWN = "known"
    """Somebody signs up with an address that has an account."""


@dataclass(frozen=True, slots=True)
class Text:
    """A mail; ``{code}`` stands for the code."""

    subject: str
    body: str

    def with_code(self, code: str) -> "Text":
        """Fill the code in."""
        return Text(self.subject.replace("{code}", code), self.body.replace("{code}", code))


_TEXTS: Mapping[tuple[Letter, str], Text] = {
    (Letter.SIGN_IN, "en"): Text(
        "{code} is your code for EpSpot",
        "Your code to sign in to EpSpot is {code}. It holds for five minutes.\n\n"
        "Did you not ask for it? Then do nothing: without the code nobody gets in. Never tell it to anyone.",
    ),
    (Letter.SIGN_IN, "sv"): Text(
        "{code} är din kod till EpSpot",
        "Din kod för att logga in på EpSpot är {code}. Den gäller i fem minuter.\n\n"
        "Har du inte bett om den? Då behöver du inte göra något: utan koden kommer ingen in. Lämna aldrig ut den.",
    ),
    (Letter.SIGN_UP, "en"): Text(
        "Welcome to EpSpot: confirm your address",
        "Your code to confirm your e-mail address is {code}. It holds for 24 hours.\n\n"
        "Did you not sign up? Then do nothing: without the code there will be no account.",
    ),
    (Letter.SIGN_UP, "sv"): Text(
        "Välkommen till EpSpot: bekräfta din adress",
        "Din kod för att bekräfta din e-postadress är {code}. Den gäller i 24 timmar.\n\n"
        "Har du inte skapat något konto? Då behöver du inte göra något: utan koden blir det inget konto.",
    ),
    (Letter.PASSWORD, "en"): Text(
        "A new password for EpSpot",
        "Your code to choose a new password is {code}. It holds for one hour.\n\n"
        "Did you not ask for it? Then do nothing: your password stays as it is.",
    ),
    (Letter.PASSWORD, "sv"): Text(
        "Nytt lösenord till EpSpot",
        "Din kod för att välja ett nytt lösenord är {code}. Den gäller i en timme.\n\n"
        "Har du inte bett om den? Då behöver du inte göra något: ditt lösenord är oförändrat.",
    ),
    (Letter.KNOWN, "en"): Text(
        "You have an account at EpSpot",
        "Somebody, probably you, wants to sign up at EpSpot with this address. It has an account already: sign in with "
        "your password, or ask for a code by mail.\n\nWas it not you? Then do nothing.",
    ),
    (Letter.KNOWN, "sv"): Text(
        "Du har redan ett konto hos EpSpot",
        "Någon, troligen du, vill skapa ett konto hos EpSpot med den här adressen. Den har redan ett konto: logga in med "
        "ditt lösenord, eller be om en kod via e-post.\n\nVar det inte du? Då behöver du inte göra något.",
    ),
}


def letter(what: Letter, language: str) -> Text:
    """Find a mail in a language that its reader knows; Swedish, unless English is asked for."""
    return _TEXTS[what, "en" if language.lower().startswith("en") else "sv"]
