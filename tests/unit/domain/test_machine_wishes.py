"""The same lossy network with people who change their minds, cars that change their phases, and an owner with rules."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from epspot.control.draft import Draft
from epspot.control.due import due_at
from epspot.control.effects import SendCommand
from epspot.control.events import (
    ChangeRequested,
    EdgeReceived,
    OutlookReceived,
    PauseRequested,
    ResumeRequested,
    StartRequested,
    Ticked,
)
from epspot.control.leases import tolerance_a
from epspot.control.loads import counted
from epspot.control.queueing import expectation
from epspot.control.state import Live, Phase, Plug, Reading, Wishes
from epspot.site import Cap, PeakTariff, Policy, Site, Window
from tests.unit.domain.test_machine import Bridge, Module, Sites
from tests.unit.domain.world import NOW, fuse, outlet, site

HOUR_S = 3600

SITES = (
    site(
        outlet("a", phase=None),
        outlet("b", phase=None, bridge="b2"),
        outlet("c", phase=1, bridge="b2"),
        outlet("d", phase=0, autostart=True, paid_by="outlet"),
        fuses=[fuse(rating_a=20)],
        policy=Policy(principle="turns", max_imbalance_a=12, wake_s=30),
    ),
    site(
        outlet("a", on="row", phase=None),
        outlet("b", on="row"),
        outlet("c", on="row", phase=None, bridge="b2"),
        outlet("d", bridge="b2"),
        outlet("e", bridge="b2", fallback_a=6.0),
        fuses=[fuse(rating_a=32, principle="readiness"), fuse("row", 16, "main", principle="priority")],
        policy=Policy(weights={"x": 3.0}),
        caps=[
            Cap("rent", 14, fuse="row", windows=(Window(start_min=9 * 60 + 10, end_min=9 * 60 + 40),)),
            Cap("dear", 18, above_ore=100),
            Cap("peak", peak=PeakTariff(interval_s=900, least_w=9_000)),
        ],
    ),
    site(
        *(outlet(f"o{i}", phase=i % 2, bridge=f"b{i % 2 + 1}") for i in range(5)),
        fuses=[fuse(rating_a=13)],
        policy=Policy(principle="first_come"),
    ),
)


class Car(Module):
    """A module whose car may use some of its conductors; one that uses another than it may is switched off at once."""

    uses: tuple[int, ...] = (0, 1, 2)
    allowed: tuple[int, ...] | None = None
    strayed: bool = False

    @property
    def strays(self) -> bool:
        return self.allowed is not None and not {*self.used} <= {*self.allowed}

    @property
    def used(self) -> tuple[int, ...]:
        return tuple(k for k in self.uses if k < len(self.outlet.phases)) or (0,)

    def allow(self, conductors: tuple[int, ...] | None, now: float) -> None:
        self.allowed = conductors
        self.check(now)

    def check(self, now: float) -> None:
        if self.strays and self.limit_a:
            self.set(0.0, now)
            self.rest()
            self.strayed = True

    def pass_time(self, now: float) -> None:
        super().pass_time(now)
        if now >= self.lease_until:
            self.allowed = None

    def reading(self, now: float) -> Reading:
        a = self.drawn_a(now)
        one, two, three = (a if k in self.used else 0.0 for k in range(3))
        return super().reading(now)._replace(current_a=(one, two, three))


class Wishing(Sites):
    """A site whose owner has rules, and whose users change their minds."""

    @initialize(which=st.sampled_from(SITES), used=st.booleans())
    def begin(self, which: Site, used: bool) -> None:  # noqa: FBT001 - drawn
        self.site = which
        self.now = NOW
        self.live = Live(which.id)
        self.up = []
        self.down = []
        self.started = 0
        self.presence = 0
        self.bridges = {
            b: Bridge(b, {m: Car(o) for m, o in of.items()}, rev=30 if used else 0) for b, of in which.of_bridge.items()
        }
        self.happen(Ticked(NOW))

    def module(self, n: int) -> Car:
        found = super().module(n)
        assert isinstance(found, Car)
        return found

    def obeyed(self, command: SendCommand) -> None:
        """Let a bridge that took a command take its conductors too."""
        bridge = self.bridges[command.bridge]
        if command.boot != f"{bridge.boot:08x}" or command.rev != bridge.rev or command.seq not in bridge.sent_at:
            return
        if self.now > bridge.sent_at[command.seq] + command.ttl_s:
            return
        for m, setting in command.modules.items():
            car = bridge.modules[m]
            if isinstance(car, Car) and car.answers:
                car.allow(setting.conductors, self.now)
                self._tell_strays(car)

    def _tell_strays(self, car: Car) -> None:
        if car.strayed:
            car.strayed = False
            bridge = self.bridges[car.outlet.bridge]
            edge = bridge.edge(self.now, "limit_breach", car.outlet.module)
            self.happen(EdgeReceived(**{f: getattr(edge, f) for f in edge.__slots__} | {"rule": "phase"}))

    # -------------------------------------------------------------- the world

    @rule(n=st.integers(0, 9), full=st.booleans())
    def exchange(self, n: int, full: bool) -> None:  # noqa: FBT001 - drawn
        """All goes well: a frame arrives, and the commands that answer it too."""
        self.down = []
        self.happen(self.bridge(n).frame(self.now, full=full))
        for command in [*self.down]:
            self.bridges[command.bridge].take(command, self.now)
            self.obeyed(command)

    @rule(n=st.integers(0, 99), again=st.booleans())
    def obey(self, n: int, again: bool) -> None:  # noqa: FBT001 - drawn
        """Any command that is under way arrives, perhaps to come again."""
        if self.down:
            command = self.down[n % len(self.down)] if again else self.down.pop(n % len(self.down))
            self.bridges[command.bridge].take(command, self.now)
            self.obeyed(command)

    @rule(n=st.integers(0, 9), uses=st.sampled_from(((0,), (1,), (0, 1), (0, 1, 2))))
    def car_uses_others(self, n: int, uses: tuple[int, ...]) -> None:
        car = self.module(n)
        car.uses = uses
        car.check(self.now)
        self._tell_strays(car)

    @rule(minutes=st.integers(5, 40))
    def run_long(self, minutes: int) -> None:
        """All goes well for long, with everybody at the plug."""
        for module in self.modules():
            module.plug, module.answers = Plug.ASKING, True
        for _ in range(minutes):
            self.pass_time(61)
            for n in range(len(self.bridges)):
                self.exchange(n, full=True)

    # -------------------------------------------------------------- people

    @rule(
        n=st.integers(0, 9),
        starts_s=st.none() | st.integers(0, 2 * HOUR_S),
        ready_s=st.none() | st.integers(1, 5 * HOUR_S),
        needs_wh=st.none() | st.integers(1, 30_000),
        how=st.sampled_from(("", "cheapest", "heats_engine")),
        group=st.sampled_from(("", "x")),
    )
    def start_with_wishes(  # noqa: PLR0917 - drawn
        self, n: int, starts_s: int | None, ready_s: int | None, needs_wh: int | None, how: str, group: str
    ) -> None:
        self.started += 1
        wishes = self._wishes(starts_s, ready_s, needs_wh, how, group)
        self.happen(StartRequested(self.now, f"s{self.started}", self.module(n).outlet.id, wishes))

    def _wishes(
        self, starts_s: int | None, ready_s: int | None, needs_wh: int | None, how: str, group: str = ""
    ) -> Wishes:
        wishes = Wishes(
            group=group,
            start_at=None if starts_s is None else self.now + starts_s,
            ready_by=None if ready_s is None else self.now + ready_s,
            needs_wh=None if ready_s is None else needs_wh,
        )
        return replace(wishes, **{how: True}) if how and ready_s is not None else wishes  # type: ignore[arg-type]

    @rule(
        n=st.integers(0, 9),
        starts_s=st.none() | st.integers(0, HOUR_S),
        ready_s=st.none() | st.integers(1, 5 * HOUR_S),
        until_wh=st.none() | st.integers(1, 5_000),
        until_s=st.none() | st.integers(1, 2 * HOUR_S),
        how=st.sampled_from(("", "cheapest", "heats_engine")),
    )
    def change_wishes(  # noqa: PLR0917 - drawn
        self, n: int, starts_s: int | None, ready_s: int | None, until_wh: int | None, until_s: int | None, how: str
    ) -> None:
        wishes = replace(
            self._wishes(starts_s, ready_s, None, how),
            until_wh=until_wh,
            until_at=None if until_s is None else self.now + until_s,
        )
        if session := self._any(n):
            self.happen(ChangeRequested(self.now, session, wishes))

    @rule(n=st.integers(0, 9))
    def pause(self, n: int) -> None:
        if session := self._any(n):
            self.happen(PauseRequested(self.now, session))

    @rule(n=st.integers(0, 9))
    def resume(self, n: int) -> None:
        if session := self._any(n):
            self.happen(ResumeRequested(self.now, session))

    def _any(self, n: int) -> str | None:
        return sorted(self.live.sessions)[n % len(self.live.sessions)] if self.live.sessions else None

    @rule(ore=st.lists(st.integers(0, 300), min_size=1, max_size=8), cold_c=st.integers(-30, 20))
    def outlook(self, ore: list[int], cold_c: int) -> None:
        begin = int(self.now)
        prices = tuple((begin + n * 900, float(p)) for n, p in enumerate(ore))
        self.happen(OutlookReceived(self.now, prices, ((begin, float(cold_c)),)))

    # -------------------------------------------------------------- always

    @invariant()
    def nobody_may_draw_more_than_is_counted(self) -> None:
        """Count for each outlet what its module may draw; a load obeys that is within the tolerance."""
        for module in self.modules() if hasattr(self, "live") else ():
            counted_a = self.live.outlets[module.outlet.id].counted_a
            assert module.may_draw_a(self.now) <= counted_a + tolerance_a(counted_a), module.outlet.id

    @invariant()
    def no_conductor_carries_more_than_is_counted(self) -> None:
        """Count for each line what the modules may carry on it by their own limits."""
        if not hasattr(self, "live"):
            return
        for module in self.modules():
            assert isinstance(module, Car)
            state = self.live.outlets[module.outlet.id]
            network = self.site.network
            load = network.load_on(counted(self.site, module.outlet, state))
            for k in module.used if module.allowed is None or not module.strays else ():
                for c in network.path(module.outlet, (k,)):
                    if network.names[c] == "cap:peak":
                        continue
                    assert module.may_draw_a(self.now) <= load[c] + tolerance_a(load[c]), module.outlet.id

    @invariant()
    def everybody_s_place_makes_sense(self) -> None:
        """Have a number only at those who wait, and expect nobody in the past."""
        if not hasattr(self, "live"):
            return
        draft = Draft(self.site, self.live, self.live.at)
        for s in self.live.sessions.values():
            assert s.position is None or (s.phase is Phase.QUEUED and s.waiting_since is not None)
            likely, latest = expectation(draft, s)
            assert likely is None or likely >= self.live.at
            assert latest is None or likely is None or latest >= likely
            if s.phase is not Phase.ACTIVE:
                assert s.on_since is None

    @invariant()
    def it_can_be_told_when_to_look(self) -> None:
        if hasattr(self, "live"):
            due_at(self.site, self.live)


TestWishing = Wishing.TestCase
TestWishing.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
