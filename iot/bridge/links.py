"""What the bridge needs of its hardware, named by role."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, runtime_checkable

from iot.contract import Currents, Reading


class ModuleLink(Protocol):
    """One metering and switching module at the other end of the power line."""

    @property
    def id(self) -> str:
        """Tell the module's id: 1 to 12 letters and digits."""
        ...

    def sample(self) -> Reading | None:
        """Read the six senses; None if the module does not answer."""
        ...

    def apply(self, limit_a: float, relay: bool, lease_s: float, fallback_a: float) -> None:  # noqa: FBT001
        """Set the limit and the relay for at most ``lease_s``.

        The lease runs on the module's own timer: when it is not renewed, the module falls by itself to
        min(limit, fallback), so a bridge that dies lengthens nothing.
        """
        ...


class MeterLink(Protocol):
    """The meter of the grid connection."""

    def sample(self) -> Currents | None:
        """Read the current of each phase, A; None if the meter does not answer."""
        ...


class Measured(NamedTuple):
    """What a meter has measured, and how long ago."""

    current_a: Currents
    age_s: float


@runtime_checkable
class SlowMeterLink(MeterLink, Protocol):
    """A meter that has a new value only every few seconds: the same value twice is not two values."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Tell what has come of it since the start, by kind."""
        ...

    def newest(self) -> Measured | None:
        """Read the newest value with its age; None if that is too old to mean anything."""
        ...
