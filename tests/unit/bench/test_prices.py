"""The arithmetic of what AWS charges."""

from collections import Counter

import pytest

from tests.bench.prices import (
    Prices,
    Usage,
    index_units,
    item_size,
    read_units,
    units,
    write_units,
)


def _item(size: int) -> dict[str, dict[str, object]]:
    return {"pk": {"S": "x" * (size - 2)}}


def test_every_price_has_a_service_and_a_source() -> None:
    """The table is read whole."""
    prices = Prices.read()
    assert len(prices.as_of.split("-")) == 3
    assert all(service and usd > 0 for service, usd in prices.items.values())


def test_usage_is_priced_by_cause_and_service() -> None:
    """Items of one service add up, causes stay apart."""
    prices = Prices("2025-01-01", "eu-west-1", {"a": ("One", 2.0), "b": ("One", 3.0), "c": ("Two", 1.0)})
    usage = Usage("frame")
    usage.add("a", 2)
    usage.add("b")
    usage.add("c", 5, "api")
    assert prices.cost(usage) == Counter({("frame", "One"): 7.0, ("api", "Two"): 5.0})
    assert usage.total("c") == usage.total("c", "api") == 5
    assert usage.total("c", "frame") == 0


def test_an_item_without_a_price_is_an_error() -> None:
    """Nothing is given away by a misspelt name."""
    usage = Usage()
    usage.add("nothing")
    with pytest.raises(KeyError):
        Prices.read().cost(usage)


@pytest.mark.parametrize(("size", "expected"), [(0, 1), (1, 1), (5120, 1), (5121, 2), (10240, 2)])
def test_units_are_begun_ones(size: int, expected: int) -> None:
    """A message of 5 KB is one unit, a byte more is two, nothing is one."""
    assert units(size, 5120) == expected


def test_an_item_is_names_and_values() -> None:
    """Texts in UTF-8, bytes, numbers by two digits, each with its name."""
    item: dict[str, dict[str, object]] = {"pk": {"S": "å"}, "state": {"B": b"123"}, "v": {"N": "1767000060"}}
    assert item_size(item) == (2 + 2) + (5 + 3) + (1 + 6)


def test_a_read_is_counted_in_4_kb_and_halved_when_it_may_be_old() -> None:
    """What one query returns is rounded up once."""
    assert read_units(4096, consistent=True) == 1
    assert read_units(4097, consistent=True) == 2
    assert read_units(4097, consistent=False) == 1
    assert read_units(0, consistent=False) == 0.5


def test_a_write_is_counted_in_1_kb_of_the_larger_item_and_doubled_in_a_transaction() -> None:
    """An item that shrinks costs what it was."""
    assert write_units(None, _item(1024)) == 1
    assert write_units(None, _item(1025)) == 2
    assert write_units(_item(3000), _item(10)) == 3
    assert write_units(None, _item(1025), transaction=True) == 4


def test_an_index_costs_only_when_what_it_shows_changes() -> None:
    """Enter one, move two, leave one, stay none."""
    one, other = _item(10), _item(11)
    assert index_units({}, one) == 1
    assert index_units(one, other) == 2
    assert index_units(one, {}) == 1
    assert index_units(one, one) == 0
    assert index_units({}, {}) == 0
    assert index_units(one, other, transaction=True) == 4
