"""The outlets of a site as a table."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epspot.errors import InvalidSite
from epspot.registry.outlet_table import COLUMNS, table_in, table_of
from epspot.registry.site_document import document_of
from epspot.site import Outlet, Site
from tests.unit.services.house import site_of

HEAD = ",".join(COLUMNS)


def test_a_table_is_read_as_it_was_written() -> None:
    """What is exported and imported again changes nothing."""
    site = site_of()
    table = table_in(table_of(site), site)
    assert table.problems == []
    assert table.outlets == document_of(site)["outlets"]
    assert table.lines == [2, 3, 4]


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=9))
def test_any_number_survives(number: str) -> None:
    """Whatever is printed at an outlet comes back, also what a spreadsheet would take for a formula."""
    site = replace(site_of(), outlets=(replace(site_of().outlets[0], number=number),))
    table = table_in(table_of(site), site)
    assert [o["number"] for o in table.outlets] == [number]


def test_formulas_are_written_as_text() -> None:
    """A spreadsheet is given nothing to compute."""
    site = replace(site_of(), outlets=(replace(site_of().outlets[0], number="=1+1"),))
    assert "\r\n'=1+1," in table_of(site)


def test_swedish_excel_is_understood() -> None:
    """A byte order mark, semicolons, decimal commas, ja and nej, and empty rows are taken."""
    text = "\ufeffnumber;fuse;phases;max_a;kind;public;id\r\n1;main;l1 l2 l3;16,5;camping;JA;s-1\r\n;;;;;;\r\nB;main;L2;10;;;"
    table = table_in(text, site_of())
    assert table.problems == []
    first, second = table.outlets
    assert (first["id"], first["phases"], first["max_a"]) == ("s-1", ["L1", "L2", "L3"], 16.5)
    assert (first["kind"], first["public"], first["bridge"]) == ("camping", True, "s-b1")
    assert (second["number"], second["phases"], "id" in second) == ("B", ["L2"], False)
    assert table.lines == [2, 4]


def test_an_outlet_without_id_is_known_by_its_number() -> None:
    """A table that somebody keeps by hand has no ids."""
    table = table_in("number,fuse,phases,max_a\n2,main,L1,10\n", site_of())
    assert [(o["id"], o["max_a"], o["module"]) for o in table.outlets] == [("s-2", 10.0, "M2")]


def test_a_small_outlet_needs_no_minimum() -> None:
    """The minimum follows the maximum down, since the table has no column for it."""
    table = table_in("number,fuse,phases,max_a\n2,main,L1,4\n", site_of())
    assert table.outlets[0]["min_a"] == 4.0


def test_every_problem_is_told_by_its_line() -> None:
    """Wrong rows don't hide one another."""
    rows = [
        "1,main,L1,16,car,,,,,,s-1",
        "1,main,L4,16,car,,,,,,s-2",
        "9,main,L1,much,car,,,perhaps,,,",
        "3,,L1,16,car,,,,,,nobody",
        "4,main,L1,16,car,,,,,,s-1",
        "5,main,L1,16,car,,,,,,,,,more",
    ]
    table = table_in("\n".join([HEAD, *rows]), site_of())
    assert [p.partition(":")[0] for p in table.problems] == ["line 3", "line 4", "line 4", "line 5", "line 6", "line 7"]
    assert [o["id"] for o in table.outlets] == ["s-1"]
    assert table.problems[-2] == "line 6: it is the same outlet as line 2"


def test_what_is_no_table() -> None:
    """Missing, unknown and doubled columns are told at once, and so is what is no CSV at all."""
    with pytest.raises(InvalidSite) as refused:
        table_in("number,fuse,max_a,max_a,colour\n", site_of())
    assert list(refused.value.problems) == [
        "line 1: the column phases is missing",
        f"line 1: the column 'colour' is not known; known are {', '.join(COLUMNS)}",
        "line 1: the column max_a stands twice",
    ]
    for text in ("", "\n\n", '"' + "x" * 200_000, "{}"):
        with pytest.raises(InvalidSite):
            table_in(text, site_of())


@given(st.text(max_size=200))
def test_nothing_breaks_it(text: str) -> None:
    """Whatever is sent is read or refused."""
    for told in (f"{HEAD}\n{text}", text):
        with suppress(InvalidSite):
            assert len(table_in(told, site_of()).lines) <= len(text.splitlines()) + 1


def test_it_names_the_columns_of_planned_outlets_empty() -> None:
    """An outlet without a module has empty cells, and is read as one again."""
    planned = Outlet("x", "9", "main", (0,), 16.0, "b", "M")
    site = Site("s", "S", site_of().fuses, (planned,))
    assert table_of(site).splitlines()[1] == "9,main,L1,16,car,,,false,b,M,x"
