"""What can go wrong, each named by the fact.

EpSpotError
├── Refusal                 somebody asked for what can't be done; the text says what to do instead
│   ├── InvalidRequest          invalid_request
│   ├── InvalidSite             invalid_site
│   ├── NotSignedIn             not_signed_in
│   ├── NotFound                not_found
│   │   ├── OutletUnknown           outlet_unknown
│   │   └── SessionUnknown          session_unknown
│   ├── OutletOccupied          outlet_occupied
│   ├── OutletOffline           outlet_offline
│   ├── OutletFaulty            outlet_faulty
│   ├── SessionOver             session_over
│   └── KeyReused               idempotency_key_reused
├── SourceUnavailable       prices or weather can't be had now; the text says what to do
└── Conflict                somebody else wrote first: load, step and commit again
"""


class EpSpotError(Exception):
    """Everything that this product raises on purpose."""


class Conflict(EpSpotError):
    """The state has another version than the one that was loaded."""


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


class NotSignedIn(Refusal):
    """Nobody is known to be calling."""

    code = "not_signed_in"


class NotFound(Refusal):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"


class OutletUnknown(NotFound):
    """No outlet has that id."""

    code = "outlet_unknown"


class SessionUnknown(NotFound):
    """The caller has no session with that id."""

    code = "session_unknown"


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
