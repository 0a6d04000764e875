"""What can go wrong, each named by the fact.

EpSpotError
├── Refusal                 somebody asked for what can't be done; the text says what to do instead
│   ├── InvalidRequest          invalid_request
│   ├── InvalidSite             invalid_site
│   ├── InvalidTariff           invalid_tariff
│   ├── TariffUsed              tariff_in_use
│   ├── NotSignedIn             not_signed_in
│   ├── WrongCode               wrong_code
│   ├── AccountNeeded           account_needed
│   ├── MailUnavailable         mail_unavailable
│   ├── NotAllowed              not_allowed
│   ├── TooOften                too_often
│   ├── NameTaken               name_taken
│   ├── LastAdministrator       last_administrator
│   ├── VersionMissing          version_missing
│   ├── VersionChanged          version_changed
│   ├── NotFound                not_found
│   │   ├── OutletUnknown           outlet_unknown
│   │   ├── CodeUnknown             code_unknown
│   │   └── SessionUnknown          session_unknown
│   ├── NotAuthorised           not_authorised
│   ├── OwnerSilent             owner_silent
│   ├── OutletOccupied          outlet_occupied
│   ├── OutletOffline           outlet_offline
│   ├── OutletFaulty            outlet_faulty
│   ├── SessionOver             session_over
│   └── KeyReused               idempotency_key_reused
├── Unanswered              another system could not be asked, or has not answered; the text is one word why
├── SourceUnavailable       prices or weather can't be had now; the text says what to do
└── Conflict                somebody else wrote first: load, step and commit again
"""


class EpSpotError(Exception):
    """Everything that this product raises on purpose."""


class Conflict(EpSpotError):
    """The state has another version than the one that was loaded."""


class Unanswered(EpSpotError):
    """Another system could not be asked, or has not answered in time; the text is one word that says why."""


class SourceUnavailable(EpSpotError):
    """A source of prices or weather does not give what was asked; the text says why, and what to do about it."""


class Refusal(EpSpotError):
    """A request that is answered with a reason: a code for programs, a text for people in English and Swedish.

    What only the programmer of a client reads (a request of the wrong form) has no Swedish.
    """

    code = "refused"

    def __init__(self, english: str, swedish: str | None = None) -> None:
        super().__init__(english)
        self.swedish = swedish or english


class InvalidRequest(Refusal):
    """The request is not of the form that it must have."""

    code = "invalid_request"


class InvalidSite(Refusal):
    """A configuration that would not be safe or makes no sense; ``problems`` tells each, with the numbers."""

    code = "invalid_site"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class InvalidTariff(Refusal):
    """A tariff by which not every session could be priced; ``problems`` tells each, with where it stands."""

    code = "invalid_tariff"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class TariffUsed(Refusal):
    """An outlet or a group has the tariff."""

    code = "tariff_in_use"


class NotSignedIn(Refusal):
    """Nobody is known to be calling."""

    code = "not_signed_in"


class WrongCode(Refusal):
    """The code from the mail is wrong, used, or too old."""

    code = "wrong_code"


class AccountNeeded(Refusal):
    """The account can't be deleted yet: something runs on it, or others depend on it."""

    code = "account_needed"


class MailUnavailable(Refusal):
    """No mail can be sent."""

    code = "mail_unavailable"


class NotAllowed(Refusal):
    """The caller may know of it, but not do this."""

    code = "not_allowed"


class TooOften(Refusal):
    """The caller has tried this too often; after ``retry_s`` it may be tried again."""

    code = "too_often"

    def __init__(self, english: str, swedish: str | None = None, retry_s: int = 60) -> None:
        super().__init__(english, swedish)
        self.retry_s = retry_s


class NameTaken(Refusal):
    """Another of the owner's has this name, which is to name one alone."""

    code = "name_taken"


class LastAdministrator(Refusal):
    """Nobody would administer the owner any more."""

    code = "last_administrator"


class VersionMissing(Refusal):
    """A change does not say which version it is a change of."""

    code = "version_missing"


class VersionChanged(Refusal):
    """Somebody else has changed it since the caller read it."""

    code = "version_changed"


class NotFound(Refusal):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"


class OutletUnknown(NotFound):
    """No outlet has that id."""

    code = "outlet_unknown"


class CodeUnknown(NotFound):
    """An access code gives nothing: it is unknown, used up, or out of its time; which of these is told to nobody."""

    code = "code_unknown"


class SessionUnknown(NotFound):
    """The caller has no session with that id."""

    code = "session_unknown"


class NotAuthorised(Refusal):
    """The owner's own system does not allow the session."""

    code = "not_authorised"


class OwnerSilent(Refusal):
    """The owner's own system does not answer, and without its answer nothing is allowed."""

    code = "owner_silent"


class OutletOccupied(Refusal):
    """Another session is using the outlet."""

    code = "outlet_occupied"


class OutletOffline(Refusal):
    """The outlet can't be reached now."""

    code = "outlet_offline"


class OutletFaulty(Refusal):
    """The outlet has a fault with which nobody may be given current."""

    code = "outlet_faulty"


class SessionOver(Refusal):
    """The session has ended already."""

    code = "session_over"


class KeyReused(Refusal):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"
