"""What goes wrong, and how often."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares (0 to 1) of messages and calls, and mean numbers per hour (``_h``) of each bridge or outlet."""

    lose: float = 0.0
    double: float = 0.0
    delay: float = 0.0
    crash: float = 0.0
    race: float = 0.0
    offline_h: float = 0.0
    reboot_h: float = 0.0
    forget: float = 0.0
    """Share of reboots that lose what the bridge remembered."""
    wall_clock_h: float = 0.0
    meter_h: float = 0.0
    silent_h: float = 0.0
    link_loss: float = 0.0
    """Share of samples and orders that the power line loses."""
    rcbo_h: float = 0.0
    register_h: float = 0.0
    overdraw: float = 0.0
    """Share of vehicles that take what they want."""
    changes_phases: float = 0.0
    """Share of vehicles that go over to another number of phases in the midst of charging."""
    skew_s: float = 0.0
    """How wrong, at most, the clocks of the cloud's machines are, each by its own."""
    slow_h: float = 0.0
    """A bridge's line is so slow that other bridges' messages overtake its own."""
    stale: float = 0.0
    """Share of boots with a stale configuration."""
    down_h: float = 0.0
    """No Lambda runs, and queues hold what comes."""


LEVELS = {
    "none": Faults(),
    "light": Faults(
        lose=0.01,
        double=0.01,
        delay=0.02,
        crash=0.002,
        race=0.01,
        offline_h=0.05,
        reboot_h=0.02,
        forget=0.2,
        wall_clock_h=0.05,
        meter_h=0.02,
        silent_h=0.01,
        link_loss=0.001,
        rcbo_h=0.002,
        register_h=0.005,
        overdraw=0.02,
        changes_phases=0.02,
        skew_s=0.5,
        slow_h=0.02,
        stale=0.02,
        down_h=0.01,
    ),
    "heavy": Faults(
        lose=0.15,
        double=0.1,
        delay=0.15,
        crash=0.03,
        race=0.1,
        offline_h=0.4,
        reboot_h=0.3,
        forget=0.3,
        wall_clock_h=0.3,
        meter_h=0.2,
        silent_h=0.1,
        link_loss=0.01,
        rcbo_h=0.02,
        register_h=0.04,
        overdraw=0.1,
        changes_phases=0.1,
        skew_s=3.0,
        slow_h=0.1,
        stale=0.1,
        down_h=0.1,
    ),
}
