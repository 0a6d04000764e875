"""The real bridge core on simulated hardware, in simulated time."""

from hypothesis import given
from hypothesis import strategies as st

from iot.bridge.core import Bridge, BridgeSettings, Step
from iot.contract import Command, Event, Setting, encode
from iot.simulator.loads import Car, Heater, Overdraw
from iot.simulator.site import ModulePlan, SimSite, SitePlan

BOOT = "0123abcd"


class World:
    def __init__(self, modules: int = 1) -> None:
        self.site = SimSite(SitePlan([ModulePlan(f"M{i}", "b1", rcbo_a=40) for i in range(modules)]))
        self.bridge = Bridge(BridgeSettings("b1"), BOOT)
        self.bridge.connected(0)
        self.now = 0.0
        self.events: list[Event] = []

    def run(self, seconds: float, dt: float = 0.2) -> Step:
        for _ in range(max(1, round(seconds / dt))):
            self.now += dt
            self.site.advance(dt)
            step = self.bridge.step(self.now, 0, {m: module.sample() for m, module in self.site.modules.items()})
            for m, a in step.apply.items():
                self.site.modules[m].apply(a.limit_a, a.relay, a.lease_s, a.fallback_a)
            self.events += [message for message in step.send if isinstance(message, Event)]
        return step

    def order(self, rev: int, ttl_s: int = 3600, **modules: Setting) -> None:
        command = Command(rev, BOOT, self.bridge.seq, ttl_s, 60, modules)
        assert self.bridge.receive(self.now, encode(command))

    def told(self) -> list[str]:
        return [e.kind.value for e in self.events]


def test_a_car_charges_pauses_and_resumes_without_an_event() -> None:
    """All of it is by the rules, so no guard has anything to say."""
    world = World()
    world.site.modules["M0"].plug(Car(40_000))
    world.run(1)
    for rev, (limit_a, relay) in enumerate([(16, True), (7, True), (0, False), (10, True)], 1):
        world.order(rev, M0=Setting(limit_a, relay, max_a=16, fallback_a=6))
        world.run(20)
        assert round(world.site.modules["M0"].current_a[0], 2) == (limit_a if relay else 0)
    assert world.told() == []


def test_a_load_that_overdraws_is_cut_off() -> None:
    """By the power guard, before the breaker trips."""
    world = World()
    world.site.modules["M0"].plug(Overdraw(top_a=40))
    world.run(1)
    world.order(1, M0=Setting(16, relay=True, max_a=16))
    world.run(60)
    assert world.told() == ["over_current"]
    assert not world.site.modules["M0"].breaker.tripped


def test_a_heater_stops_at_the_paid_register_value() -> None:
    """Within one step's energy."""
    world = World()
    world.site.modules["M0"].plug(Heater(2000))
    world.run(1)
    world.order(1, M0=Setting(16, relay=True, max_a=16, until_wh=20))
    world.run(60)
    assert world.told() == ["target_reached"]
    assert int(world.site.modules["M0"].energy_wh) == 20


def test_a_bridge_that_dies_leaves_modules_that_fall_back() -> None:
    """Their own timers end the lease."""
    world = World()
    world.site.modules["M0"].plug(Car(40_000))
    world.run(1)
    world.order(1, ttl_s=30, M0=Setting(16, relay=True, max_a=16, fallback_a=6))
    world.run(20)
    for _ in range(100):
        world.site.advance(0.2)
    assert world.site.modules["M0"].current_a[0] == 6


@given(st.lists(st.tuples(st.sampled_from([0.0, 6.0, 8.5, 16.0]), st.integers(1, 12)), max_size=8))
def test_a_car_that_obeys_is_never_a_breach(orders: list[tuple[float, int]]) -> None:
    """However fast the limits come."""
    world = World()
    world.site.modules["M0"].plug(Car(40_000))
    world.run(1)
    for rev, (limit_a, wait) in enumerate(orders, 1):
        world.order(rev, M0=Setting(limit_a, limit_a > 0, max_a=20, fallback_a=6))
        world.run(wait, dt=0.5)
    world.run(10)
    assert world.told() == []
