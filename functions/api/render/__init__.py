"""How things look in the API: times as ISO 8601 in UTC, currents in A, energy in Wh."""

from epspot.notices.times import time_text as time

__all__ = ["time"]
