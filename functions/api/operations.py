"""What the API can do: each operation is described once, and the description lets callers in, checks and documents it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from epspot.access import Capability

if TYPE_CHECKING:
    from functions.api.calls import Call

PAGE = 100
"""How many things a list gives at once, unless asked for fewer."""
JSON = "application/json"

View: TypeAlias = Callable[["Call"], Any]
"""What carries an operation out; it is called with what has been let in and checked."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter in the query string: a text, or as its JSON Schema says."""

    name: str
    about: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string", "maxLength": 256})
    required: bool = False


LIMIT = Query("limit", "How many at most", {"type": "integer", "minimum": 1, "maximum": PAGE})
CURSOR = Query("cursor", "Where to go on: `next` of the page before", {"type": "string", "pattern": "^[!-~]{1,400}$"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that callers can ask for."""

    method: str
    path: str
    """With parameters in braces."""
    summary: str
    tag: str
    view: View
    needs: Capability | None
    """What the caller must have on the scope ``on``; None: the view itself sees to what is the caller's own."""
    on: str | None
    """The path parameter that names the scope, ``owner``, ``site``, ``group`` (with ``site``) or ``outlet``; or ``session``."""
    guests: bool
    """Nobody need be known to be calling."""
    body: str | None
    """The name of the body's schema."""
    status: int
    answer: str | None
    """The name of the answer's schema."""
    media: str
    takes: str
    query: tuple[Query, ...]
    creates: bool
    """It makes something that there may be two of: it takes an Idempotency-Key."""
    changes: bool
    """It changes something that has versions: it takes If-Match."""
    refusals: tuple[int, ...]
    also: tuple[int, ...]
    """Statuses beside ``status`` with which it succeeds."""

    @property
    def name(self) -> str:
        """Name it for programs."""
        return self.view.__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        """List the parameters in its path, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    path: str,
    summary: str,
    *,
    tag: str,
    needs: Capability | None = None,
    on: str | None = None,
    guests: bool = False,
    body: str | None = None,
    status: int = 200,
    answer: str | None = None,
    media: str = JSON,
    takes: str = JSON,
    query: Sequence[Query] = (),
    paged: bool = False,
    creates: bool = False,
    changes: bool = False,
    refusals: Sequence[int] = (),
    also: Sequence[int] = (),
) -> Callable[[View], View]:
    """Add a view to the API; the parameters are those of ``Operation``."""

    def add(view: View) -> View:
        asked = (*query, *((LIMIT, CURSOR) if paged else ()))
        OPERATIONS.append(
            Operation(
                method,
                path,
                summary,
                tag,
                view,
                needs,
                on,
                guests,
                body,
                status,
                answer,
                media,
                takes,
                asked,
                creates,
                changes,
                tuple(refusals),
                tuple(also),
            )
        )
        return view

    return add
