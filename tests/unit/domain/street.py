"""A yard of cars as they are: their registers count, some use one phase of three, some fall asleep."""

from dataclasses import dataclass

from epspot.control.effects import SendCommand
from epspot.control.state import Plug, Reading
from epspot.site import Site
from tests.unit.domain.world import Load, Yard

VOLTAGE_V = 230.0


@dataclass
class Car(Load):
    """What stands at an outlet, and how it behaves."""

    draws_on: tuple[int, ...] = (0, 1, 2)
    """The conductors that it charges on."""
    sleeps_below_a: float = 0.0
    """It does not charge at an allowance below this."""
    asleep: bool = False
    """It does not charge until its voltage has been switched off and on ``wakes_after`` times."""
    wakes_after: int = 1
    pulses: int = 0
    charged_wh: float = 0.0
    """What its register is above its first value."""
    first_wh: int = 1000

    def currents_a(self, conductors: int) -> tuple[float, float, float]:
        may = self.plug is Plug.ASKING and not self.asleep and self.limit_a >= self.sleeps_below_a
        drawn = min(self.wants_a, self.limit_a) if may else 0.0
        one, two, three = (drawn if k in self.draws_on and k < conductors else 0.0 for k in range(3))
        return (one, two, three)

    def reading(self, conductors: int) -> Reading:
        current = self.currents_a(conductors)
        return (
            super()
            .reading(conductors)
            ._replace(
                current_a=current,
                power_w=VOLTAGE_V * sum(current),
                energy_wh=self.first_wh + int(self.charged_wh),
            )
        )


class Street(Yard):
    """A yard whose loads are cars; one at each outlet, or those that are given."""

    def __init__(self, site_: Site, **cars: Car) -> None:
        super().__init__(site_, heard=False)
        self.cars = {o.id: cars.get(o.id) or Car() for o in site_.outlets}
        self.loads.update(self.cars)
        for _ in range(2):
            for b in self.bridges:
                self.frame(b)

    def after(self, seconds: float) -> "Street":
        for o in self.site.outlets:
            car = self.cars[o.id]
            car.charged_wh += VOLTAGE_V * sum(car.currents_a(len(o.phases))) * seconds / 3600
        super().after(seconds)
        return self

    def apply(self, command: SendCommand) -> None:
        before = {o: car.limit_a for o, car in self.cars.items()}
        super().apply(command)
        for o, car in self.cars.items():
            if before[o] and not car.limit_a:
                car.pulses += 1
                car.asleep = car.asleep and car.pulses < car.wakes_after

    def revisions(self) -> int:
        """Tell how often anything was decided."""
        return sum(b.rev for b in self.live.bridges.values())
