"""Which commands are obeyed, and for how long.

A command answers an upward message, and its lease runs from when *the bridge sent that message*, on the
bridge's own monotonic clock. So neither a wall clock nor the time that a message takes has a part in it.
"""

from iot.contract import Command

_REMEMBERED = 4096
"""Send times that are kept. A command that answers an older message is refused, which is safe."""


class Lease:
    """The last accepted command and the time for which it holds."""

    __slots__ = ("_answered_at", "_sent_at", "answered", "boot", "command", "seq")

    def __init__(self, boot: str) -> None:
        self.boot = boot
        self.seq = 0
        self.answered = 0
        self.command: Command | None = None
        self._answered_at = 0.0
        self._sent_at: dict[int, float] = {}

    @property
    def rev(self) -> int:
        """Tell the revision of the last accepted command; 0 = none in this boot."""
        return 0 if self.command is None else self.command.rev

    def number(self, now: float) -> int:
        """Give the next upward message its number and remember when it was sent."""
        self.seq += 1
        self._sent_at[self.seq] = now
        if len(self._sent_at) > _REMEMBERED:
            del self._sent_at[next(iter(self._sent_at))]
        return self.seq

    def refusal(self, now: float, command: Command) -> str | None:
        """Say why a command must be ignored; None: obey it."""
        sent_at = self._sent_at.get(command.seq)
        refusals = {
            "boot": command.boot != self.boot,
            "rev": command.rev < self.rev,
            "unknown_seq": sent_at is None,
            "expired": sent_at is not None and now - sent_at >= command.ttl_s,
            "repeated": command.rev == self.rev and command.seq <= self.answered,
        }
        return next((reason for reason, holds in refusals.items() if holds), None)

    def take(self, command: Command) -> None:
        """Obey a command that was not refused."""
        self.command = command
        self.answered = command.seq
        self._answered_at = self._sent_at[command.seq]

    def remaining_s(self, now: float) -> float:
        """Tell how long the last command still holds, s; 0 = over."""
        return 0.0 if self.command is None else max(0.0, self._answered_at + self.command.ttl_s - now)

    def past(self, now: float, after_s: int) -> bool:
        """Tell whether this much time has passed since the answered message was sent."""
        return now >= self._answered_at + after_s
