"""Outlets that begin by themselves when something is plugged in."""

import pytest

from epspot.control.state import Fault, Phase, Plug
from epspot.errors import InvalidSite
from tests.unit.domain.street import Car, Street
from tests.unit.domain.world import NOW, fuse, outlet, site


def heater(**car: object) -> Street:
    """Make an outlet that begins by itself, with nothing plugged in, and one beside it that doesn't."""
    return Street(
        site(outlet("a", autostart=True, paid_by="outlet"), outlet("b", phase=1)),
        a=Car(**{"plug": Plug.NONE} | car),  # type: ignore[arg-type]
        b=Car(plug=Plug.NONE),
    )


def plug(street: Street, outlet_: str, to: Plug, *, edge: bool = True) -> None:
    street.cars[outlet_].plug = to
    if edge:
        street.after(1).edge("unplugged" if to is Plug.NONE else "plugged", outlet_)


def begun(street: Street) -> list[str]:
    return [f.about for f in street.told("session.begun")]


def ended(street: Street) -> list[str]:
    return [f.detail["reason"] for f in street.told("session.ended")]


@pytest.mark.parametrize("edge", [True, False])
def test_plugging_in_begins_a_session(edge: bool) -> None:  # noqa: FBT001 - two ways to hear of it
    """With the event, or with the frame if the event is lost, a session begins and has current; it is told whose."""
    street = heater()
    street.after(5)
    plug(street, "a", Plug.ASKING, edge=edge)
    street.after(5).frame()
    [fact] = street.told("session.begun")
    assert fact.detail == {"outlet": "a", "number": "a", "at": fact.detail["at"]}
    assert NOW + 5 <= fact.detail["at"] <= street.now
    assert street.limits_a() == {"a": 16}
    assert street.session("a").id == fact.about


def test_other_outlets_wait_for_their_users() -> None:
    """Plugging in at an outlet without the flag begins nothing."""
    street = heater()
    plug(street, "b", Plug.ASKING)
    street.run(300)
    assert begun(street) == []


def test_once_for_each_time_that_it_is_plugged_in() -> None:
    """When the load is done the session ends ``full``; the next begins when it was out and is in again."""
    street = heater()
    plug(street, "a", Plug.ASKING)
    street.run(600)
    street.cars["a"].wants_a = 0
    street.run(2 * 3600)
    assert ended(street) == ["full"]
    assert len(begun(street)) == 1
    plug(street, "a", Plug.NONE)
    street.run(60)
    street.cars["a"].wants_a = 10
    plug(street, "a", Plug.ASKING)
    street.run(60)
    assert len(set(begun(street))) == 2
    assert street.session("a").phase is Phase.ACTIVE


def test_a_quick_change_of_plugs_begins_another() -> None:
    """Out and in again before the bridge is heard in between: the first session ends, and another begins."""
    street = heater()
    plug(street, "a", Plug.ASKING)
    street.run(600)
    street.bridges["b1"].obeys = False  # so that the first has not ended when the second is plugged in
    plug(street, "a", Plug.NONE)
    plug(street, "a", Plug.ASKING)
    street.bridges["b1"].obeys = True
    street.apply(street.commands[-1])
    street.run(120)
    assert ended(street) == ["unplugged"]
    assert len(begun(street)) == 2
    assert street.limits_a() == {"a": 16}


def test_stopped_by_hand_it_stays_off() -> None:
    """Who stops it does not have it begin again at the next frame."""
    street = heater()
    plug(street, "a", Plug.ASKING)
    street.run(60)
    street.stop(begun(street)[0])
    street.run(600)
    assert (len(begun(street)), street.limits_a()) == (1, {})


@pytest.mark.parametrize("fault", [Fault.WELDED_RELAY, Fault.OVER_TEMPERATURE, Fault.RESIDUAL_CURRENT])
def test_a_faulty_outlet_begins_nothing(fault: Fault) -> None:
    """With a grave fault nothing begins; when it is gone, what is plugged in has its session."""
    street = heater(faults=int(fault))
    plug(street, "a", Plug.ASKING)
    street.run(300)
    assert begun(street) == []
    street.cars["a"].faults = 0
    street.run(60)
    assert len(begun(street)) == 1


def test_what_stands_in_when_the_cloud_first_hears_of_it_begins() -> None:
    """An outlet that has something plugged in when its bridge is first heard begins, once it can be commanded."""
    street = Street(site(outlet("a", autostart=True, paid_by="outlet")))
    street.run(60)
    assert len(begun(street)) == 1
    assert street.limits_a() == {"a": 16}


def test_nothing_is_handed_out_while_others_may_draw_it() -> None:
    """A bridge that an earlier cloud has told more: what is plugged in begins, but has nothing until all is known."""
    street = Street(
        site(outlet("a", bridge="b2"), outlet("b", autostart=True, paid_by="outlet"), fuses=[fuse(rating_a=20)])
    )
    street.run(20, every=10)
    street.stop(begun(street)[0])
    street.run(20, every=10)
    plug(street, "b", Plug.NONE)
    street.cars["b"].plug = Plug.ASKING
    for b in street.bridges.values():
        b.rev, b.obeys = 40, False
    street.cars["a"].limit_a = 16  # and draws as much
    street.after(10).frame("b2")
    street.frame("b1")
    assert len(begun(street)) == 2
    assert (street.limits_a(), street.reason("b")) == ({}, "settling")
    for b in street.bridges.values():
        b.obeys = True
    street.run(60, every=10)
    assert street.limits_a() == {"b": 16}


def test_it_does_not_begin_where_a_user_pays() -> None:
    """A configuration that would charge nobody for it is refused."""
    with pytest.raises(InvalidSite, match="autostart needs paid_by outlet"):
        site(outlet("a", autostart=True))
