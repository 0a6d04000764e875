"""A metering and switching module with its breaker, as the bridge sees it over the power line."""

import random

from iot.contract import Currents, Fault, Plug, Reading
from iot.simulator.loads import NOMINAL_V, OFF, Load

_SOURCE_OHM = 0.06
"""Of the feeder, seen from the outlet: about 2 V at 32 A."""
_AMBIENT_C, _RISE_C_PER_A2, _THERMAL_S = 15.0, 0.03, 600.0
_HOT_C = 85.0
_COOL_C, _COOL_HEAT = 0.05, 1e-4
"""Closer to rest than this a module that carries nothing is at rest."""
_MAGNETIC = 5.0
_TRIP_HEAT, _HEATING_S = 1.3**2, 120.0


class Breaker:
    """A thermal-magnetic breaker of characteristic B (EN 60898-1).

    Above 5 x the rating it trips at once. Its heat follows the square of the current, so that it holds 1.13 x
    for ever and trips at 1.45 x within the hour and at 2.55 x within the minute.
    """

    __slots__ = ("heat", "rating_a", "tripped")

    def __init__(self, rating_a: float) -> None:
        self.rating_a = rating_a
        self.heat = 0.0
        self.tripped = False

    def advance(self, dt: float, current_a: float) -> None:
        """Carry a current for ``dt`` seconds."""
        load = current_a / self.rating_a
        self.heat += (load * load - self.heat) * min(1.0, dt / _HEATING_S)
        self.tripped |= load > _MAGNETIC or self.heat > _TRIP_HEAT


class SimModule:
    """A module in front of one outlet; its RCBO in front of both.

    ``phases`` is 1 or 3. A module that does not sense its plug (a motor heater's socket) always says that one
    is there. Currents and voltages are told by the outlet's own conductors.
    """

    __slots__ = (
        "_limit_a",
        "_link",
        "_loss",
        "_random",
        "_senses_plug",
        "_silent",
        "breaker",
        "current_a",
        "delivered_wh",
        "energy_wh",
        "fallback_a",
        "faults",
        "id",
        "lease_s",
        "load",
        "phases",
        "relay",
        "temperature_c",
        "voltage_v",
        "welded",
    )

    def __init__(
        self,
        module_id: str,
        *,
        phases: int = 3,
        rcbo_a: float = 32.0,
        senses_plug: bool = True,
        link_pct: int = 90,
        loss: float = 0.0,
        energy_wh: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.id = module_id
        self.phases = phases
        self.breaker = Breaker(rcbo_a)
        self.load: Load | None = None
        self.relay = False
        """What the relay was told; a welded one does not obey."""
        self.welded = False
        self.energy_wh = energy_wh
        self.delivered_wh = 0.0
        """What has really flowed, whatever befalls the register."""
        self.temperature_c = _AMBIENT_C
        self.current_a: Currents = OFF
        self.voltage_v = NOMINAL_V
        self.faults = Fault(0)
        self.lease_s = 0.0
        self.fallback_a = 0.0
        self._limit_a = 0.0
        self._senses_plug = senses_plug
        self._link = link_pct
        self._loss = loss
        self._silent = False
        self._random = random.Random(f"{seed}/{module_id}")

    # ------------------------------------------------------------------ as the bridge sees it

    @property
    def limit_a(self) -> float:
        """Tell the limit that it applies now."""
        return self._limit_a

    @property
    def closed(self) -> bool:
        """Tell where the contact really is."""
        return self.welded or self.relay

    @property
    def answers(self) -> bool:
        """Tell whether it has power and its link works."""
        return not self.breaker.tripped and not self._silent

    def sample(self) -> Reading | None:
        """Read the six senses; None if it has no power, is silenced, or the message was lost."""
        if not self.answers or self._random.random() < self._loss:
            return None
        volts = self.voltage_v
        return Reading(
            plug=self._plug(),
            relay=self.closed,
            current_a=self.current_a,
            voltage_v=(volts, volts, volts) if self.phases > 1 else (volts, 0.0, 0.0),
            power_w=sum(self.current_a) * volts,
            energy_wh=int(self.energy_wh),
            temperature_c=self.temperature_c,
            limit_a=self._limit_a,
            faults=self.faults,
            link_pct=max(0, min(100, self._link + int(5 * self._random.random()) - 2)),
        )

    def apply(self, limit_a: float, relay: bool, lease_s: float, fallback_a: float) -> None:  # noqa: FBT001
        """Take a limit and a relay position for the time of the lease; lost if it does not answer."""
        if not self.answers or self._random.random() < self._loss:
            return
        self._limit_a, self.relay = limit_a, relay
        self.lease_s, self.fallback_a = lease_s, fallback_a
        if lease_s <= 0:
            self._fall_back()

    def _plug(self) -> Plug:
        if not self._senses_plug:
            return Plug.PLUGGED
        if self.load is None:
            return Plug.NONE
        return Plug.ASKING if self.load.asks else Plug.PLUGGED

    def _fall_back(self) -> None:
        self._limit_a = min(self._limit_a, self.fallback_a)
        self.relay = self.relay and self._limit_a > 0

    # ------------------------------------------------------------------ physics

    def advance(self, dt: float) -> Currents:
        """Live for ``dt`` seconds; returns what each conductor draws, A."""
        if self.breaker.tripped:
            self.current_a = OFF
            return OFF
        if self.lease_s > 0:
            self.lease_s = max(0.0, self.lease_s - dt)
            if self.lease_s == 0:
                self._fall_back()
        if self.load is None:
            self.current_a = OFF
        else:
            voltage_v = NOMINAL_V - _SOURCE_OHM * max(self.current_a) if self.closed else 0.0
            self.current_a = self.load.advance(dt, voltage_v, self._limit_a if self.relay else 0.0)
        self._carry(dt, max(self.current_a))
        return self.current_a

    def _carry(self, dt: float, worst_a: float) -> None:
        """Count and warm for ``dt`` seconds what the current does to register, contacts and breaker."""
        if worst_a == 0 and self._rests():
            self.voltage_v = NOMINAL_V
            return
        self.voltage_v = NOMINAL_V - _SOURCE_OHM * worst_a
        flowed_wh = sum(self.current_a) * self.voltage_v * dt / 3600.0
        self.energy_wh += flowed_wh
        self.delivered_wh += flowed_wh
        goal_c = _AMBIENT_C + _RISE_C_PER_A2 * worst_a * worst_a
        self.temperature_c += (goal_c - self.temperature_c) * min(1.0, dt / _THERMAL_S)
        if self.temperature_c > _HOT_C:
            self.faults |= Fault.OVER_TEMPERATURE
        self.breaker.advance(dt, worst_a)
        if self.breaker.tripped:
            self.current_a = OFF

    def _rests(self) -> bool:
        """Tell whether it is as cold as its surroundings, so that time changes nothing."""
        return abs(self.temperature_c - _AMBIENT_C) < _COOL_C and self.breaker.heat < _COOL_HEAT

    # ------------------------------------------------------------------ people

    def plug(self, load: Load) -> None:
        """Put a load in the outlet; it uses no more conductors than there are."""
        load.phases = min(load.phases, self.phases)
        self.load = load

    def unplug(self) -> None:
        """Take it out."""
        self.load, self.current_a = None, OFF

    def reset_rcbo(self) -> None:
        """Put the breaker on again: the module starts with its relay open and its register kept."""
        self.breaker.tripped, self.breaker.heat = False, 0.0
        self.relay, self._limit_a, self.lease_s = False, 0.0, 0.0

    # ------------------------------------------------------------------ faults on order

    def go_silent(self, *, silent: bool = True) -> None:
        """Stop answering, or answer again; what it does goes on."""
        self._silent = silent

    def set_link(self, link_pct: int, loss: float = 0.0) -> None:
        """Change the quality of the power-line link and the share of messages that it loses."""
        self._link, self._loss = link_pct, loss

    def weld(self, *, welded: bool = True) -> None:
        """Weld the relay's contact shut, or mend it. It must be closed to weld."""
        self.welded = welded and self.closed

    def reset_register(self) -> None:
        """Lose the register: it begins at 0 again."""
        self.energy_wh = 0.0

    def leap_register(self, by_wh: float) -> None:
        """Let the register leap, forwards or backwards."""
        self.energy_wh = max(0.0, self.energy_wh + by_wh)

    def overheat(self, temperature_c: float = 95.0) -> None:
        """Heat the contacts, as a loose screw does."""
        self.temperature_c = temperature_c
        self.faults |= Fault.OVER_TEMPERATURE

    def clear_faults(self) -> None:
        """Mend what the module tells to be wrong."""
        self.faults, self.temperature_c = Fault(0), _AMBIENT_C
