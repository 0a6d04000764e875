"""What is wrong, told from what is read and from what is silent."""

from dataclasses import replace

import pytest

from epspot.control.diagnosis import differs
from epspot.control.events import PresenceChanged
from epspot.control.state import Fault, Plug
from epspot.site import Policy
from tests.unit.domain.ills import ILLS, Ground, Ill, back, mixed, silent, two_bridges, two_rows
from tests.unit.domain.world import Load, fuse, outlet, site

LONG_S = 900


def ids(ill: Ill) -> str:
    return f"{ill.code}-{ill.about}-{ill.certainty}"


@pytest.mark.parametrize("ill", ILLS, ids=ids)
def test_each_ill_is_found_and_nothing_else(ill: Ill) -> None:
    """What is wrong is named once, with how sure it is; what follows from it is not named again."""
    yard = Ground(ill.site(), before=ill.before)
    ill.begin(yard)
    yard.run(LONG_S)
    found = yard.findings()
    assert found.keys() == {f"{ill.code}/{ill.about}"} | {k for k in found if k.split("/")[0] in ill.with_it}
    assert found[f"{ill.code}/{ill.about}"].detail.get("certainty", "certain") == ill.certainty
    ill.end(yard)
    yard.run(LONG_S)
    assert yard.findings() == {}


# -------------------------------------------------------------------- silence


def test_a_fuse_is_not_blamed_while_one_of_its_modules_answers() -> None:
    """One module that still answers clears the fuse: then each silence is its own."""
    yard = Ground(two_rows())
    silent("a0", "a1")(yard)
    yard.run(60)
    assert yard.findings().keys() == {"rcbo_or_module/a0", "rcbo_or_module/a1"}


def test_the_fuse_nearest_to_the_grid_is_blamed() -> None:
    """Where every row below a fuse is silent, the fuse is named and not its rows."""
    yard = Ground(
        site(
            *(outlet(f"o{i}", on=f"row{i % 2}") for i in range(4)),
            outlet("z"),
            fuses=[fuse(), fuse("row0", 16, "yard"), fuse("row1", 16, "yard"), fuse("yard", 20, "main")],
        )
    )
    silent("o0", "o1", "o2", "o3")(yard)
    yard.run(60)
    assert yard.findings().keys() == {"fuse_out/yard"}


def test_a_module_that_was_silent_long_before_is_not_explained_by_its_fuse() -> None:
    """A fuse explains those that fell silent together; an earlier silence keeps its own cause."""
    yard = Ground(two_rows())
    silent("a0")(yard)
    yard.run(3600)
    silent("a1", "a2")(yard)
    yard.run(60)
    assert yard.findings().keys() == {"rcbo_or_module/a0", "fuse_out/row1"}
    assert yard.findings()["fuse_out/row1"].detail["modules"] == 2


def test_two_silences_far_apart_do_not_make_a_blown_fuse() -> None:
    """Modules that fell silent at different times have each their own cause, though the whole fuse is silent now."""
    yard = Ground(two_rows())
    for o in ("a0", "a1", "a2"):
        silent(o)(yard)
        yard.run(3600)
    assert yard.findings().keys() == {"rcbo_or_module/a0", "rcbo_or_module/a1", "rcbo_or_module/a2"}


def test_a_fuse_is_only_possible_while_another_bridge_of_its_is_not_heard() -> None:
    """Where part of a fuse can't be judged, it is told as possible."""
    yard = Ground(
        site(
            outlet("a", on="row"),
            outlet("b", on="row"),
            outlet("c", on="row", bridge="b2"),
            outlet("z"),
            fuses=[fuse(), fuse("row", 20, "main")],
        )
    )
    yard.mute.add("b2")
    silent("a", "b")(yard)
    yard.run(LONG_S)
    assert yard.findings()["fuse_out/row"].detail["certainty"] == "possible"
    assert yard.findings().keys() == {"fuse_out/row", "bridge_silent/b2"}


def test_nothing_is_told_of_the_modules_of_a_silent_bridge() -> None:
    """A silent bridge explains its modules, also those that did not answer before."""
    yard = Ground(two_bridges())
    silent("c")(yard)
    yard.run(60)
    assert yard.findings().keys() == {"rcbo_or_module/c"}
    yard.mute.add("b2")
    yard.run(LONG_S)
    assert yard.findings().keys() == {"bridge_silent/b2"}


def test_a_lost_connection_makes_it_probable_why_a_bridge_is_silent() -> None:
    """The broker's word that the connection is lost leaves power or internet as the cause."""
    yard = Ground(two_bridges())
    yard.do(PresenceChanged(yard.now, "b2", connected=False, version=4))
    yard.mute.add("b2")
    yard.run(LONG_S)
    assert yard.findings()["bridge_silent/b2"].detail == {"certainty": "probable", "connection_lost": True}


@pytest.mark.parametrize(
    ("dead", "gone", "certainty"),
    [("xy", "", "certain"), ("x", "a", "probable"), ("xy", "a", "certain")],
)
def test_how_sure_a_lost_phase_is_depends_on_what_shows_it(dead: str, gone: str, certainty: str) -> None:
    """Two dead conductors are proof; one and a silence are probable."""
    outlets = [outlet(o, phase=None) for o in dead] + [outlet(o) for o in gone] + [outlet("b", phase=1)]
    yard = Ground(site(*outlets))
    for o in dead:
        yard.ills[o].volts = (0.0, 230.0, 230.0)
    silent(*gone)(yard)
    yard.run(60)
    assert yard.findings().keys() == {"phase_lost/main"}
    assert yard.findings()["phase_lost/main"].detail == {"certainty": certainty, "phases": ["L1"]}


def test_one_dead_conductor_alone_is_only_possibly_a_lost_phase() -> None:
    """The only module that shows a phase may have a loose conductor of its own."""
    yard = Ground(site(outlet("x", phase=None), outlet("b", phase=1)))
    yard.ills["x"].volts = (230.0, 230.0, 0.0)
    yard.run(60)
    assert yard.findings()["phase_lost/main"].detail == {"certainty": "possible", "phases": ["L3"]}


def test_a_dead_conductor_beside_a_live_one_of_its_phase_is_the_outlet_s_own() -> None:
    """Where another module has voltage on the phase, it is the outlet's conductor and not the phase."""
    yard = Ground(mixed())
    yard.ills["x"].volts = (0.0, 231.0, 230.0)
    yard.run(60)
    assert yard.findings().keys() == {"voltage/x"}
    assert yard.findings()["voltage/x"].detail == {"voltage_v": 0.0, "phase": "L1"}


def test_phases_are_told_as_the_feeder_s_whatever_the_wiring() -> None:
    """A rotated outlet's first conductor is another phase of the feeder."""
    rotated = replace(outlet("x", phase=None), phases=(1, 2, 0))
    yard = Ground(site(rotated, outlet("y", phase=None), outlet("a")))
    yard.ills["x"].volts = (0.0, 230.0, 230.0)
    yard.ills["y"].volts = (230.0, 0.0, 230.0)
    yard.run(60)
    assert yard.findings()["phase_lost/main"].detail["phases"] == ["L2"]


def test_two_lost_phases_are_one_finding() -> None:
    """A fuse of which two phases are gone is told once, with both."""
    yard = Ground(mixed())
    for o in ("x", "y"):
        yard.ills[o].volts = (0.0, 0.0, 230.0)
    silent("a", "b")(yard)
    yard.run(60)
    assert yard.findings().keys() == {"phase_lost/main"}
    assert yard.findings()["phase_lost/main"].detail["phases"] == ["L1", "L2"]


def test_a_phase_lost_on_one_row_is_that_row_s() -> None:
    """A phase that the other row still has is missing below the row's fuse only."""
    yard = Ground(
        site(
            *(outlet(f"a{i}", on="row", phase=None) for i in range(2)),
            outlet("z", phase=None),
            fuses=[fuse(rating_a=63), fuse("row", 25, "main")],
        )
    )
    for o in ("a0", "a1"):
        yard.ills[o].volts = (230.0, 230.0, 4.0)
    yard.run(60)
    assert yard.findings().keys() == {"phase_lost/row"}


def test_a_phase_lost_on_every_row_is_the_main_fuse_s() -> None:
    """The fuse nearest to the grid is named, once."""
    rows = [fuse(rating_a=63), fuse("row1", 25, "main"), fuse("row2", 25, "main")]
    yard = Ground(site(*(outlet(f"a{i}", on=f"row{i}", phase=None) for i in (1, 2)), fuses=rows))
    for o in yard.ills.values():
        o.volts = (230.0, 0.0, 230.0)
        o.faults = Fault.VOLTAGE
    yard.run(60)
    assert yard.findings().keys() == {"phase_lost/main"}


def test_a_dead_conductor_is_told_beside_a_lost_phase() -> None:
    """What a lost phase does not explain is still told."""
    yard = Ground(site(outlet("x", phase=None), outlet("y", phase=None)))
    yard.ills["x"].volts = (0.0, 230.0, 3.0)
    yard.ills["y"].volts = (0.0, 230.0, 230.0)
    yard.run(60)
    assert yard.findings().keys() == {"phase_lost/main", "voltage/x"}
    assert yard.findings()["voltage/x"].detail == {"voltage_v": 3.0, "phase": "L3"}


def test_a_phase_found_by_silence_explains_those_that_fell_with_it() -> None:
    """Silent modules that are wired to the phase are explained if they fell at its time, and only then."""
    outlets = [outlet("old"), outlet("a"), outlet("b"), outlet("x", phase=None), outlet("late", phase=None)]
    yard = Ground(site(*outlets, outlet("z", phase=1)))
    silent("old")(yard)
    yard.run(3600)
    silent("a", "b", "x")(yard)
    yard.ills["late"].volts = (0.0, 0.0, 0.0)  # it tells nothing
    yard.run(3600)
    assert yard.findings().keys() == {"phase_lost/main", "rcbo_or_module/old"}
    silent("late")(yard)
    yard.run(60)
    assert yard.findings().keys() == {"phase_lost/main", "rcbo_or_module/old", "rcbo_or_module/late"}


def test_a_contact_without_any_voltage_is_no_fault() -> None:
    """A module that measures behind its open relay reads 0 V on every conductor."""
    yard = Ground(mixed())
    for o in yard.ills.values():
        o.volts = (0.0, 0.0, 0.0)
    yard.run(60)
    assert yard.findings() == {}


def test_a_module_that_tripped_with_a_poor_link_is_not_told_as_surely_tripped() -> None:
    """A weak link explains a silence as well as a breaker does, also under load."""
    yard = Ground(site(outlet("a"), outlet("b")))
    yard.ills["a"].link_pct = 10
    yard.start("a")
    yard.run(60, every=10)
    silent("a")(yard)
    yard.run(60)
    assert yard.findings().keys() == {"link_poor/a"}
    assert yard.findings()["link_poor/a"].detail == {"certainty": "probable", "link_pct": 10}


# -------------------------------------------------------------------- readings


@pytest.mark.parametrize("volts", [207.0, 253.0])
def test_voltages_at_the_limits_are_well(volts: float) -> None:
    """230 V +- 10 % is what the standard allows."""
    yard = Ground(site(outlet("a")))
    yard.ills["a"].volts = (volts, 0.0, 0.0)
    yard.run(60)
    assert yard.findings() == {}


def test_an_outlet_that_obeys_its_allowance_is_not_taken_for_welded() -> None:
    """Current within an allowance, or under a limit that the module holds by itself, is none of the relay's."""
    yard = Ground(site(outlet("a"), outlet("b", fallback_a=6.0)))
    yard.start("a")
    yard.run(60, every=10)
    assert max(yard.live.readings["b1"].modules["A"].current_a) > 6
    yard.ills["b"].limit_a = 6.0
    yard.ills["b"].faults = Fault.REGISTER
    yard.bridges["b1"].obeys = False
    yard.run(60, every=10)
    assert max(yard.live.readings["b1"].modules["B"].current_a) == 6
    assert yard.findings().keys() == {"register_fault/b"}


def test_a_welded_relay_that_is_told_is_not_told_again_by_its_current() -> None:
    """The module's own word is enough."""
    yard = Ground(site(outlet("a")))
    yard.ills["a"].faults = Fault.WELDED_RELAY
    yard.ills["a"].current_a = 5.0
    yard.run(60)
    assert yard.findings().keys() == {"relay_welded/a"}


def test_a_cable_that_is_unlocked_without_current_is_no_fault() -> None:
    """The lock opens when the relay does."""
    yard = Ground(site(outlet("a")))
    yard.ills["a"].faults = Fault.UNLOCKED
    yard.run(60)
    assert yard.findings() == {}


@pytest.mark.parametrize(("trips", "is_found"), [(2, False), (3, True)])
def test_the_guard_s_trips_count_within_a_day(trips: int, *, is_found: bool) -> None:
    """As many trips within a day as the owner has set make an alarm; older ones don't count."""
    yard = Ground(site(outlet("a"), policy=Policy(trips_before_alarm=3)))
    at = (yard.now - 90_000, *(yard.now - 60 * (i + 1) for i in range(trips)))
    yard.live = replace(yard.live, outlets={"a": replace(yard.live.outlets["a"], trips=at)})
    assert ("guard_repeats/a" in yard.findings()) is is_found


def test_a_vehicle_that_is_done_is_not_told_to_ask() -> None:
    """A vehicle that has drawn and stops is full: its session ends by itself."""
    yard = Ground(site(outlet("a"), policy=Policy(standby_s=7200)))
    yard.start("a")
    yard.run(120, every=10)
    yard.ills["a"].energy_wh += 300
    yard.ills["a"].plug = Plug.PLUGGED
    yard.run(1200)
    assert yard.findings() == {}


def test_readings_differ_for_diagnosis_when_a_voltage_leaves_or_enters_its_band() -> None:
    """A reading whose voltage has become wrong or right must be kept, however little else has changed."""
    well = Load().reading(3)
    assert not differs(well, well._replace(voltage_v=(229.0, 208.0, 252.0)))
    for volts in (206.0, 254.0, 3.0):
        assert differs(well, well._replace(voltage_v=(230.0, volts, 230.0)))
    assert differs(well._replace(voltage_v=(150.0,) * 3), well._replace(voltage_v=(90.0,) * 3))


def test_a_module_that_comes_back_leaves_only_its_neighbour_s_silence() -> None:
    """When a fuse is back and one breaker stays off, that one is found for itself."""
    yard = Ground(two_rows())
    silent("a0", "a1", "a2")(yard)
    yard.run(60)
    back("a0", "a1")(yard)
    yard.run(60)
    assert yard.findings().keys() == {"rcbo_or_module/a2"}
