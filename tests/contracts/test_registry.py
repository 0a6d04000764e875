"""``Registry`` and ``Throttle``: the same promises in memory and in DynamoDB."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pynamodb.exceptions import TransactWriteError

from epspot.adapters.dynamodb.registry import DynamoRegistry, DynamoThrottle
from epspot.control.events import Watched
from epspot.control.step import step
from epspot.errors import Conflict
from epspot.ports import Registry, Throttle
from epspot.registry.kinds import Change, Kind, Put, Remove
from tests.contracts.houses import NOW, House, small_site
from tests.fakes import FakeThrottle


@dataclass(frozen=True, slots=True)
class Note:
    """A record of every sort of value."""

    id: str
    of: str
    shelf: str = ""
    text: str = ""
    number: float = 0.0
    names: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)
    gone_at: float | None = None
    version: int = 0


NOTE = Kind(
    "NOTE",
    Note,
    under=lambda n: f"DESK#{n.of}",
    id=lambda n: n.id,
    also=lambda n: f"SHELF#{n.shelf}",
    expires_at=lambda n: n.gone_at,
)
OTHER = Kind("NOTES", Note, under=lambda n: f"DESK#{n.of}", id=lambda n: n.id)
ALONE = Kind("ALONE", Note, under=lambda n: f"ALONE#{n.id}", id=lambda _: "", also=lambda n: f"SHELF#{n.shelf}")


@pytest.fixture
def registry(house: House) -> Registry:
    """Give the registry of either kind."""
    if house.memory is not None:
        return house.memory.registry
    assert house.connection is not None
    return DynamoRegistry(house.connection)


@pytest.fixture
def throttle(house: House) -> Throttle:
    """Give what counts, of either kind."""
    return FakeThrottle() if house.memory is not None else DynamoThrottle()


def note(id_: str, of: str = "d", **more: Any) -> Note:
    return Note(id_, of, **more)


def put(*notes: Note, kind: Kind[Note] = NOTE) -> list[Change]:
    return [Put(kind, None, n) for n in notes]


def stored(registry: Registry, id_: str, of: str = "d") -> Note:
    found = registry.get(NOTE, f"DESK#{of}", id_)
    assert found is not None
    return found


# ------------------------------------------------------------------ one


def test_a_record_is_read_as_it_was_written(registry: Registry) -> None:
    """Every value comes back as it was, in the first version."""
    made = note("a", text="å", number=0.1, names=("x", "y"), more={"deep": ({"n": 1},), "none": None}, gone_at=1e9)
    registry.commit(put(made))
    assert stored(registry, "a") == replace(made, version=1)


def test_what_is_not_there(registry: Registry) -> None:
    """Another id, another place and another kind are nothing, and lists of them are empty."""
    registry.commit(put(note("a")))
    assert registry.get(NOTE, "DESK#d", "b") is None
    assert registry.get(NOTE, "DESK#e", "a") is None
    assert registry.get(OTHER, "DESK#d", "a") is None
    assert registry.under(NOTE, "DESK#e").items == ()
    assert registry.also_under(NOTE, "SHELF#none").items == ()


def test_versions_grow(registry: Registry) -> None:
    """Each write makes the next version of what it was a change of, whatever it says itself."""
    registry.commit(put(note("a", version=7)))
    for n in (2, 3):
        registry.commit([Put(NOTE, stored(registry, "a"), note("a", text=str(n), version=99))])
        assert (stored(registry, "a").version, stored(registry, "a").text) == (n, str(n))


def test_a_record_is_taken_away(registry: Registry) -> None:
    """It is gone from everywhere, and may be made again."""
    registry.commit(put(note("a", shelf="s")))
    registry.commit([Remove(NOTE, stored(registry, "a"))])
    assert registry.get(NOTE, "DESK#d", "a") is None
    assert registry.also_under(NOTE, "SHELF#s").items == ()
    registry.commit(put(note("a")))
    assert stored(registry, "a").version == 1


# ------------------------------------------------------------------ conditions


def test_what_is_there_is_not_made_again(registry: Registry) -> None:
    """A new record replaces nothing."""
    registry.commit(put(note("a", text="first")))
    with pytest.raises(Conflict):
        registry.commit(put(note("a", text="second")))
    assert stored(registry, "a").text == "first"


def test_a_change_is_of_what_stands(registry: Registry) -> None:
    """Of two changes of the same version one is a conflict; so is a change or removal of what is gone."""
    registry.commit(put(note("a")))
    read = stored(registry, "a")
    registry.commit([Put(NOTE, read, replace(read, text="first"))])
    late: list[Change] = [Put(NOTE, read, replace(read, text="second")), Remove(NOTE, read)]
    for change in late:
        with pytest.raises(Conflict):
            registry.commit([change])
    assert stored(registry, "a").text == "first"
    registry.commit([Remove(NOTE, stored(registry, "a"))])
    for change in late:
        with pytest.raises(Conflict):
            registry.commit([change])
    assert registry.get(NOTE, "DESK#d", "a") is None


def test_all_or_none(registry: Registry) -> None:
    """If one of many changes can't be made, none is."""
    registry.commit(put(note("a"), note("b")))
    read = stored(registry, "b")
    registry.commit([Put(NOTE, read, read)])
    with pytest.raises(Conflict):
        registry.commit([*put(note("c")), Put(NOTE, stored(registry, "a"), note("a", text="x")), Remove(NOTE, read)])
    assert [n.id for n in registry.under(NOTE, "DESK#d").items] == ["a", "b"]
    assert stored(registry, "a").text == ""


def test_a_record_is_changed_once_in_a_commit(registry: Registry) -> None:
    """Two changes of one record in the same commit are refused."""
    with pytest.raises((Conflict, TransactWriteError)):
        registry.commit(put(note("a"), note("a")))
    assert registry.get(NOTE, "DESK#d", "a") is None


def test_a_hundred_changes_at_once(registry: Registry) -> None:
    """A commit holds a hundred changes."""
    registry.commit(put(*(note(f"{n:03d}") for n in range(100))))
    found = registry.under(NOTE, "DESK#d").items
    registry.commit([Remove(NOTE, n) for n in found[:50]] + [Put(NOTE, n, n) for n in found[50:]])
    assert [(n.id, n.version) for n in registry.under(NOTE, "DESK#d").items] == [
        (f"{n:03d}", 2) for n in range(50, 100)
    ]


def test_changes_go_with_a_step(house: House, registry: Registry) -> None:
    """What is committed with the state of a site is written with it, or not at all."""
    site = small_site()
    before = house.known(site)
    done = step(site, before, Watched(NOW + 1))
    house.lives.commit(before, done, changes=put(note("a")))
    assert stored(registry, "a").version == 1
    after = house.lives.load("s")[1]
    with pytest.raises(Conflict):
        house.lives.commit(after, step(site, after, Watched(NOW + 90)), changes=put(note("b"), note("a")))
    assert registry.get(NOTE, "DESK#d", "b") is None
    assert house.lives.load("s")[1] == after


# ------------------------------------------------------------------ lists


def test_lists_are_in_the_order_of_ids(registry: Registry) -> None:
    """All of a kind that belongs somewhere, whatever the order of writing; kinds with like names apart."""
    registry.commit(put(note("b"), note("a"), note("c", of="e")))
    registry.commit(put(note("z"), kind=OTHER))
    assert [n.id for n in registry.under(NOTE, "DESK#d").items] == ["a", "b"]
    assert [n.id for n in registry.under(NOTE, "DESK#d", newest_first=True).items] == ["b", "a"]
    assert [n.id for n in registry.under(OTHER, "DESK#d").items] == ["z"]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
def test_pages_follow_one_another(registry: Registry, limit: int, newest_first: bool) -> None:  # noqa: FBT001
    """However long the pages, each record stands on one of them; the last one says that it is."""
    ids = [f"id{n}" for n in range(6)]
    registry.commit(put(*map(note, ids)))
    seen: list[str] = []
    after, pages = None, 0
    while after is not None or not pages:
        page = registry.under(NOTE, "DESK#d", limit, after, newest_first=newest_first)
        seen += [n.id for n in page.items]
        after, pages = page.next, pages + 1
        assert len(page.items) <= limit
    assert seen == sorted(ids, reverse=newest_first)
    assert pages == -(-len(ids) // limit)


def test_a_page_goes_on_where_a_record_was(registry: Registry) -> None:
    """A cursor stays good when its record is taken away."""
    registry.commit(put(note("a"), note("b"), note("c")))
    after = registry.under(NOTE, "DESK#d", 2).next
    registry.commit([Remove(NOTE, stored(registry, "b"))])
    assert [n.id for n in registry.under(NOTE, "DESK#d", 2, after).items] == ["c"]


def test_records_are_also_listed_elsewhere(registry: Registry) -> None:
    """From wherever they belong, in the order of ids, by pages, and where they were put last."""
    registry.commit(put(note("a", shelf="s"), note("b", of="e", shelf="s"), note("c", shelf="t")))
    first = registry.also_under(NOTE, "SHELF#s", 1)
    assert ([n.id for n in first.items], first.next) == (["a"], "a")
    rest = registry.also_under(NOTE, "SHELF#s", 1, first.next)
    assert ([n.id for n in rest.items], rest.next) == (["b"], None)
    read = stored(registry, "a")
    registry.commit([Put(NOTE, read, replace(read, shelf="t"))])
    assert [n.id for n in registry.also_under(NOTE, "SHELF#s").items] == ["b"]
    assert [n.id for n in registry.also_under(NOTE, "SHELF#t").items] == ["a", "c"]


def test_those_without_an_id_are_told_apart_elsewhere(registry: Registry) -> None:
    """Records that are alone where they belong are listed by what that is."""
    registry.commit(put(note("x", shelf="s"), note("y", shelf="s"), kind=ALONE))
    registry.commit(put(note("a", shelf="s")))
    first = registry.also_under(ALONE, "SHELF#s", 1)
    assert [n.id for n in first.items] == ["x"]
    assert [n.id for n in registry.also_under(ALONE, "SHELF#s", 1, first.next).items] == ["y"]


# ------------------------------------------------------------------ in the table


def test_a_record_may_vanish_by_itself(tables: House) -> None:
    """When it may is written where the table's time to live looks; what stays has no such time."""
    assert tables.connection is not None
    DynamoRegistry(tables.connection).commit(put(note("a", gone_at=1_900_000_000.7), note("b")))
    items = tables.client.scan(TableName="CoreTable")["Items"]
    assert {i["sk"]["S"]: i.get("expires_at") for i in items} == {"NOTE#a": {"N": "1900000000"}, "NOTE#b": None}


def test_a_field_of_a_later_version_is_left_out(tables: House) -> None:
    """A record that was written with a field more is still read, since a deployment is not one moment."""

    @dataclass(frozen=True, slots=True)
    class Newer(Note):
        mood: str = "good"

    assert tables.connection is not None
    registry = DynamoRegistry(tables.connection)
    kind = Kind("NOTE", Newer, under=lambda n: f"DESK#{n.of}", id=lambda n: n.id)
    registry.commit([Put(kind, None, Newer("a", "d", text="x"))])
    assert stored(registry, "a") == note("a", text="x", version=1)
    registry.commit(put(note("b")))
    older = registry.get(kind, "DESK#d", "b")
    assert older is not None
    assert older.mood == "good"


def test_a_list_is_one_query(tables: House) -> None:
    """A list costs one call, on the table consistently, and reads no more than it shows but one."""
    assert tables.connection is not None
    registry = DynamoRegistry(tables.connection)
    registry.commit(put(*(note(f"{n}", shelf="s") for n in range(9))))
    tables.calls.clear()
    registry.under(NOTE, "DESK#d", 3)
    registry.also_under(NOTE, "SHELF#s", 3)
    (first, on_table), (second, on_index) = tables.calls
    assert (first, second) == ("Query", "Query")
    assert (on_table["ConsistentRead"], on_table["Limit"], on_index["Limit"]) == (True, 4, 4)


# ------------------------------------------------------------------ throttle


def test_the_first_few_are_let_through(throttle: Throttle) -> None:
    """So many within a window, each key for itself, and in the next window anew."""
    assert [throttle.take("a", 2, 60, NOW) for _ in range(4)] == [True, True, False, False]
    assert throttle.take("b", 2, 60, NOW)
    assert throttle.take("a", 2, 60, NOW + 60)
    assert throttle.take("a", 2, 3600, NOW)


def test_whoever_insists_is_let_in_when_the_window_is_over(throttle: Throttle) -> None:
    """Tries beyond the most do not count against the next window."""
    for _ in range(9):
        throttle.take("a", 1, 60, NOW)
    assert throttle.take("a", 1, 60, NOW + 60)


def test_a_higher_limit_holds_at_once(throttle: Throttle) -> None:
    """The most is asked for each time."""
    assert throttle.take("a", 1, 60, NOW)
    assert not throttle.take("a", 1, 60, NOW)
    assert throttle.take("a", 2, 60, NOW)


def test_counts_vanish(tables: House) -> None:
    """A counter may be gone two windows on."""
    DynamoThrottle().take("a", 1, 60, NOW)
    (item,) = tables.client.scan(TableName="CoreTable")["Items"]
    assert NOW + 60 <= int(item["expires_at"]["N"]) <= NOW + 120
