"""What is written is what is read: any state and any site, to the last bit."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epspot.adapters.dynamodb import codec
from epspot.control.state import (
    Alarm,
    Appetite,
    BridgeState,
    Demand,
    End,
    Live,
    OutletState,
    Phase,
    Plug,
    Reading,
    Readings,
    SessionState,
    Wishes,
)
from epspot.site import Cap, Fuse, GuardLimits, Outlet, PeakTariff, Policy, Site, Window

FEW = settings(max_examples=60)
names = st.text(max_size=12)
ids = st.text(min_size=1, max_size=12)
amperes = st.floats(allow_nan=False, allow_infinity=False)
times = st.floats(min_value=-1e12, max_value=1e12)
whole = st.integers(min_value=-(2**63), max_value=2**63)
maybe_time = st.none() | times
triples = st.tuples(amperes, amperes, amperes)

readings = st.builds(
    Reading,
    plug=st.sampled_from(Plug),
    relay=st.booleans(),
    current_a=triples,
    voltage_v=triples,
    power_w=amperes,
    energy_wh=whole,
    temperature_c=amperes,
    limit_a=amperes,
    faults=st.integers(0, 127),
    link_pct=st.integers(0, 100),
)
told = st.builds(
    Readings,
    boot=names,
    seq=whole,
    base=whole,
    at=times,
    modules=st.dictionaries(ids, readings, max_size=4),
    lost=st.frozensets(ids, max_size=3),
    meter_a=st.none() | triples,
)
conductors = st.none() | st.sampled_from([(0,), (1, 2), (0, 1, 2)])
outlet_states = st.builds(
    OutletState,
    limit_a=amperes,
    since_rev=whole,
    held_a=amperes,
    held_until=times,
    reason=names,
    unread=st.booleans(),
    conductors=conductors,
    trips=st.lists(times, max_size=3).map(tuple),
)
wishes = st.builds(
    Wishes,
    group=names,
    start_at=maybe_time,
    ready_by=maybe_time,
    needs_wh=st.none() | whole,
    heats_engine=st.booleans(),
    cheapest=st.booleans(),
    until_wh=st.none() | whole,
    until_at=maybe_time,
    least_a=st.none() | amperes,
    wakes_by=names,
)
appetites = st.builds(
    Appetite,
    wants_a=st.none() | amperes,
    under_since=maybe_time,
    conductors=conductors,
    unused_since=maybe_time,
    asked_since=maybe_time,
    drew_at_a=st.none() | amperes,
    least_a=st.none() | amperes,
    pulses=st.integers(0, 9),
    pulsing=st.booleans(),
    wakes_by=names,
    full=st.booleans(),
    offered_a=st.none() | amperes,
)
alarms = st.builds(
    Alarm,
    code=names,
    about=names,
    since=times,
    raised=st.booleans(),
    gone_since=maybe_time,
    detail=st.dictionaries(names, whole | names, max_size=2),
)
demands = st.builds(
    Demand,
    start=whole,
    at=times,
    wh=amperes,
    w=amperes,
    month=whole,
    peaks=st.lists(st.tuples(whole, amperes), max_size=3).map(tuple),
)
outlooks = st.lists(st.tuples(whole, amperes), max_size=3).map(tuple)
bridge_states = st.builds(
    BridgeState,
    boot=st.none() | names,
    earlier=st.lists(names, max_size=4).map(tuple),
    epoch_at=times,
    rev=whole,
    lease_until=times,
    answered=whole,
    interval_s=whole,
    suspect_since=maybe_time,
    presence=whole,
    silent=st.booleans(),
)
session_states = st.builds(
    SessionState,
    id=ids,
    outlet=ids,
    since=times,
    phase=st.sampled_from(Phase),
    waiting_since=maybe_time,
    on_since=maybe_time,
    served_s=times,
    base_wh=st.none() | whole,
    start_wh=st.none() | whole,
    booked_wh=whole,
    fell_from_wh=st.lists(st.tuples(whole, whole), max_size=3).map(tuple),
    plugged=st.booleans(),
    idle_since=maybe_time,
    first_rev=st.none() | whole,
    end=st.none() | st.sampled_from(End),
    stopping_since=maybe_time,
    wishes=wishes,
    appetite=appetites,
    position=st.none() | whole,
    cut_short=st.booleans(),
    place=st.none() | whole,
)
lives = st.builds(
    Live,
    site=ids,
    version=whole,
    revision=whole,
    at=times,
    turn=whole,
    outlets=st.dictionaries(ids, outlet_states, max_size=4),
    bridges=st.dictionaries(ids, bridge_states, max_size=3),
    sessions=st.dictionaries(ids, session_states, max_size=4),
    other_a=triples,
    found=st.lists(names, max_size=3).map(tuple),
    watched_until=times,
    listened=st.dictionaries(ids, times, max_size=2),
    alarms=st.dictionaries(ids, alarms, max_size=2),
    demand=st.dictionaries(ids, demands, max_size=2),
    prices=outlooks,
    temperatures=outlooks,
)
fuses = st.builds(
    Fuse,
    id=ids,
    parent=st.none() | ids,
    rating_a=triples,
    max_sessions=st.none() | whole,
    planning_factor=amperes,
    other_a=triples,
)
outlets = st.builds(
    Outlet,
    id=ids,
    number=names,
    fuse=ids,
    phases=st.sampled_from([(0,), (2,), (0, 1, 2), (2, 0, 1)]),
    max_a=amperes,
    bridge=ids,
    module=ids,
    min_a=amperes,
    modulated=st.booleans(),
    fallback_a=amperes,
    autostart=st.booleans(),
    paid_by=names,
    guard=st.builds(GuardLimits, *[amperes] * 5),
)
windows = st.lists(
    st.builds(
        Window, days=st.lists(whole, max_size=2).map(tuple), months=st.just((1, 2)), start_min=whole, end_min=whole
    ),
    max_size=2,
).map(tuple)
caps = st.builds(
    Cap,
    name=ids,
    limit_a=st.none() | amperes,
    fuse=st.none() | ids,
    windows=windows,
    above_ore=st.none() | amperes,
    peak=st.none() | st.builds(PeakTariff, count=whole, windows=windows, night=windows, night_factor=amperes),
)
policies = st.builds(Policy, principle=names, turn_s=whole, min_on_s=whole, standby_s=whole, standby_a=amperes)
sites = st.builds(
    Site,
    id=ids,
    name=names,
    fuses=st.lists(fuses, max_size=4).map(tuple),
    outlets=st.lists(outlets, max_size=4).map(tuple),
    policy=policies,
    revision=whole,
    meter_bridge=st.none() | ids,
    caps=st.lists(caps, max_size=2).map(tuple),
    time_zone=names,
)


def types_of(thing: Any) -> Any:
    """Tell the type of everything in a record, all the way down: True == 1 == 1.0, and they are not the same."""
    if isinstance(thing, dict):
        return {k: types_of(v) for k, v in thing.items()}
    if isinstance(thing, (tuple, frozenset)):
        return (type(thing), [types_of(v) for v in sorted(thing, key=repr)])
    if hasattr(type(thing), "__dataclass_fields__"):
        return (type(thing), {f.name: types_of(getattr(thing, f.name)) for f in fields(thing)})
    return type(thing)


@FEW
@given(lives)
def test_a_decision_is_read_as_it_was_written(live: Live) -> None:
    """Any state without its readings is read back equal, with the same types."""
    again = codec.decision_in(live.site, live.version, codec.decision_out(live), codec.SCHEMA)
    assert again == live
    assert types_of(again) == types_of(live)


@FEW
@given(told)
def test_readings_are_read_as_they_were_written(given_: Readings) -> None:
    """Any readings of a bridge are read back equal, with the same types."""
    again = codec.readings_in(codec.readings_out(given_), codec.SCHEMA)
    assert again == given_
    assert types_of(again) == types_of(given_)


@FEW
@given(sites)
def test_a_site_is_read_as_it_was_written(site: Site) -> None:
    """Any configuration is read back equal, with the same types."""
    again = codec.site_in(site.id, codec.site_out(site), codec.SCHEMA)
    assert again == site
    assert types_of(replace(again)) == types_of(site)


def test_nothing_of_a_state_is_forgotten() -> None:
    """Every field of the state, of a reading and of a site is written: a new one can't be left out unnoticed."""
    decision = codec.unpack(codec.decision_out(Live("s")), codec.SCHEMA)
    assert decision.keys() == {f.name for f in fields(Live)} - {"site", "version", "readings", "look_at"}
    site = codec.unpack(codec.site_out(Site("s", "s", (), ())), codec.SCHEMA)
    assert site.keys() == {f.name for f in fields(Site)} - {"id"}
    assert site["policy"].keys() == {f.name for f in fields(Policy)}
    bridge = codec.unpack(codec.readings_out(Readings("b", 1, 1, 0.0)), codec.SCHEMA)
    assert bridge.keys() == {f.name for f in fields(Readings)}


def test_a_newer_schema_is_not_guessed_at() -> None:
    """An item of another schema version is not read."""
    for schema in (0, codec.SCHEMA + 1):
        with pytest.raises(codec.UnknownSchema):
            codec.decision_in("s", 1, codec.decision_out(Live("s")), schema)


def test_a_busy_site_of_a_thousand_outlets_fits_an_item() -> None:
    """The largest site's decision, with a session at each outlet, and its configuration stay far below 400 KB."""
    n = range(1000)
    live = Live(
        "s",
        outlets={f"outlet-{i}": OutletState(6.67, 1000 + i, 16.0, 1_800_000_000.123 + i, "garage-12/L1") for i in n},
        sessions={
            f"{i:026x}": SessionState(f"{i:026x}", f"outlet-{i}", 1_800_000_000.123 + i, on_since=1_800_000_001.5 + i)
            for i in n
        },
    )
    site = Site("s", "s", (), tuple(Outlet(f"outlet-{i}", str(i), "main", (0,), 16.0, "b1", f"M{i}") for i in n))
    assert len(codec.decision_out(live)) < 100_000
    assert len(codec.site_out(site)) < 100_000
    assert len(json.dumps(codec.unpack(codec.decision_out(live), codec.SCHEMA))) > 100_000
