"""``python -m epspot.whatif``: what it reads, what it tells, and what it says of a file that can't be read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from epspot.control.journal import line_of
from epspot.control.written import out
from epspot.services.what_if import Figures
from epspot.whatif.__main__ import main
from tests.unit.services.kept import Kept

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "whatif"
SITE: dict[str, Any] = {
    "fuses": [{"id": "main", "rating_a": 16, "planning_factor": 1}],
    "outlets": [{"id": o, "fuse": "main", "phases": ["L1"], "max_a": 16} for o in ("a", "b")],
}
HEADER = "outlet,plugged_at,leaves_at,needs_wh"
ROWS = ("a,2026-01-05T08:00,2026-01-05T09:00,3680", "b,2026-01-05T08:00:00+01:00,2026-01-05T12:00,3680")
Write = Callable[..., list[str]]


@pytest.fixture
def files(tmp_path: Path) -> Write:
    """Write a site, its visits and changes; return the arguments that name them."""

    def write(site: Any = SITE, rows: tuple[str, ...] = ROWS, header: str = HEADER, **changes: Any) -> list[str]:
        told = {"site.json": site} | {f"{name}.json": change for name, change in changes.items()}
        for name, body in told.items():
            (tmp_path / name).write_text(body if isinstance(body, str) else json.dumps(body), "utf-8")
        (tmp_path / "visits.csv").write_text("\n".join((header, *rows)) + "\n", "utf-8")
        variants = [arg for n in changes for arg in ("--variant", f"{n}={tmp_path / n}.json")]
        return [str(tmp_path / "site.json"), str(tmp_path / "visits.csv"), *variants]

    return write


def told(args: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    assert main([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def by_name(args: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return {v["name"]: v for v in told(args, capsys)["variants"]}


def test_all_figures_of_all_variants_are_told(files: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """The baseline first; two share 16 A for an hour, and half of one's need is left."""
    answer = told(files(wide={"fuses": {"main": {"rating_a": 32}}}), capsys)
    assert (answer["outlets"], answer["visits"]) == (2, 2)
    assert (answer["from"], answer["to"]) == ("2026-01-05T08:00:00+01:00", "2026-01-05T12:00:00+01:00")
    assert [v["name"] for v in answer["variants"]] == ["baseline", "wide"]
    assert [v["unmet_wh"] for v in answer["variants"]] == pytest.approx([1840.0, 0.0])
    for variant in answer["variants"]:
        assert variant.keys() == {"name", *Figures.__dataclass_fields__}


def test_the_table_puts_variants_side_by_side(files: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """With the difference beside what differs, and only there."""
    assert main(files(wide={"fuses": {"main": {"rating_a": 32}}})) == 0
    head, _, names, *lines = capsys.readouterr().out.splitlines()
    assert head == "site: 2 outlets, 2 visits, 2026-01-05 08:00 to 2026-01-05 12:00"
    assert names.split() == ["baseline", "wide"]
    rows = {line[:30].strip(): line[30:].split() for line in lines}
    assert rows["sessions"] == ["2", "2"]
    assert rows["not delivered"] == ["kWh", "1.8", "0.0", "(-1.8)"]
    assert rows["peak L1"] == ["A", "16.0", "32.0", "(+16.0)"]
    assert rows["at the limit, main/L1"] == ["h", "1.5", "1.0", "(-0.5)"]


def test_changes_name_only_what_is_different(files: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Of one part, of all, of the policy; parts come and go."""
    group = {"parent": "main", "rating_a": [8, 8, 8], "planning_factor": 1}
    variants = by_name(
        files(
            one={"outlets": {"a": {"max_a": 7}}},
            all={"outlets": {"*": {"phases": ["L2"], "max_a": 7}}},
            turns={"policy": {"principle": "turns"}, "caps": [{"name": "low", "limit_a": 10}]},
            deeper={"fuses": {"new": group}, "outlets": {"b": {"fuse": "new"}}},
        ),
        capsys,
    )
    assert variants["one"]["delivered_wh"] == pytest.approx(7 * 230 + 3680)
    assert variants["all"]["peak_a"] == pytest.approx([0.0, 14.0, 0.0])
    assert variants["turns"]["peak_a"] == pytest.approx([10.0, 0.0, 0.0])
    assert variants["deeper"]["at_limit_h"]["new/L1"] > 0


def test_visits_are_chosen_by_their_begin(files: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """From the one time on, before the other; in the site's own time unless an offset is told."""
    rows = tuple(f"a,2026-01-0{d}T08:00,2026-01-0{d}T09:00,100" for d in (5, 6, 7))
    args = files(rows=rows)
    assert told([*args, "--from", "2026-01-06T08:00"], capsys)["visits"] == 2
    assert told([*args, "--from", "2026-01-06T07:00:01+00:00"], capsys)["visits"] == 1
    assert told([*args, "--to", "2026-01-06"], capsys)["visits"] == 1


def test_columns_that_may_be_there(files: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """A load of 4 A on one of three conductors; an empty field says nothing."""
    site = SITE | {"outlets": [{"id": "a", "fuse": "main", "phases": ["L2", "L3", "L1"], "max_a": 16}]}
    row = "a,2026-01-05T08:00,2026-01-05T09:00,9000,4,1,,"
    args = files(site, (row,), f"{HEADER},max_a,conductors,group,ready_by")
    (baseline,) = told(args, capsys)["variants"]
    assert baseline["peak_a"] == pytest.approx([0.0, 4.0, 0.0])


def test_prices_decide_where_a_cap_goes_by_them(
    files: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing until nine, when it gets cheap."""
    args = files(SITE | {"caps": [{"name": "dear", "limit_a": 0, "above_ore": 80}]}, ROWS[1:])
    (tmp_path / "SE3.csv").write_text(
        "start,ore_per_kwh\n2026-01-05T00:00:00+01:00,90\n2026-01-05T09:00:00+01:00,40\n", "utf-8"
    )
    (baseline,) = told([*args, "--prices", str(tmp_path)], capsys)["variants"]
    assert baseline["first_wait_p50_s"] == 3600.0
    assert main(args) == 2
    assert "name the prices with --prices" in capsys.readouterr().err


def test_a_kept_journal_has_visits_too(files: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What of it can't be read is told, and the rest is used."""
    yard = Kept().let_happen()
    journal = tmp_path / "journal"
    journal.mkdir()
    (journal / "one").write_text("\n".join(['{"site":"s",', *map(line_of, yard.entries)]), "utf-8")
    site, _ = files(out(yard.site))
    assert main([site, "--journal", str(journal), "--json"]) == 0
    answer = capsys.readouterr()
    (baseline,) = json.loads(answer.out)["variants"]
    assert (baseline["sessions"], baseline["needed_wh"]) == (2, 1000)
    assert "a line that can't be read" in answer.err


OUTLET = SITE["outlets"][0]


@pytest.mark.parametrize(
    ("site", "says"),
    [
        ("{", "site.json is no JSON"),
        ("[]", "site.json must be a JSON object"),
        ({"fuses": []}, "site.json: outlets must be a JSON array"),
        (SITE | {"fuses": [{"id": "main"}]}, "site.json: fuses main lacks rating_a"),
        (SITE | {"fuses": [{"id": "main", "rating_a": [16]}]}, "site.json: fuses main.rating_a must be 3 values"),
        (SITE | {"fuses": [{"id": "main", "rating_a": "16"}]}, "fuses main.rating_a must be a JSON array"),
        (SITE | {"fuses": [{"id": "main", "rating_a": 0}]}, "rating of 0 A"),
        (SITE | {"outlets": [OUTLET | {"phases": ["L4"]}]}, "outlets a.phases must be a whole number"),
        (SITE | {"outlets": [OUTLET | {"max_a": True}]}, "outlets a.max_a must be a number"),
        (SITE | {"outlets": [OUTLET | {"modulated": 1}]}, "outlets a.modulated must be true or false"),
        (SITE | {"outlets": [OUTLET | {"fuse": ""}]}, "outlets a.fuse must be a text"),
        (SITE | {"outlets": [OUTLET | {"maxa": 1}]}, "outlets a has the unknown maxa; known are id, number"),
        (SITE | {"outlets": [OUTLET | {"guard": [1] * 9}]}, "outlets a.guard has more than instant"),
        (SITE | {"policy": {"principle": "loud"}}, "principle 'loud' is not known"),
        (SITE | {"policy": {"weights": {"x": "much"}}}, "policy.weights.x must be a number"),
        (SITE | {"caps": [{"name": "n"}]}, "cap n must have either limit_a or peak"),
    ],
)
def test_a_site_that_cannot_be_read_is_told_in_one_line(
    files: Write, capsys: pytest.CaptureFixture[str], site: Any, says: str
) -> None:
    """With the place."""
    assert main(files(site)) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,2026-01-05T08:00,2026-01-05T09:00", "line 2: there must be 4 columns"),
        ("a,2026-01-05T08:00,2026-01-05T09:00,1,2", "line 2: there must be 4 columns"),
        ("a,8 o'clock,2026-01-05T09:00,1", 'line 2: plugged_at: "8 o\'clock" is not a time'),
        ("a,2026-01-05T08:00,2026-01-05T09:00,much", "line 2: needs_wh: 'much' is not a number"),
        ("a,2026-01-05T08:00,2026-01-05T09:00,nan", "line 2: needs_wh: 'nan' is not a number"),
        ("x,2026-01-05T08:00,2026-01-05T09:00,1", "line 2: outlet x does not exist"),
        ("a,2026-01-05T08:00,2026-01-05T08:00,1", "line 2: outlet a: a visit must end after it begins"),
    ],
)
def test_a_visit_that_cannot_be_is_told_with_its_line(
    files: Write, capsys: pytest.CaptureFixture[str], row: str, says: str
) -> None:
    """Lines are counted with the heading."""
    assert main(files(rows=(row,))) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("header", "says"),
    [("outlet,from", "lack plugged_at, leaves_at, needs_wh"), (f"{HEADER},colour", "unknown columns colour")],
)
def test_columns_must_be_known(files: Write, capsys: pytest.CaptureFixture[str], header: str, says: str) -> None:
    """What lacks and what is too much is named."""
    assert main(files(header=header)) == 2
    assert says in capsys.readouterr().err


def test_changes_that_cannot_be_are_told_with_their_file(files: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """And so are variants without a name of their own, and visits that a variant has no outlet for."""
    assert main(files(bad={"fuses": {"main": {"rating": 9}}})) == 2
    assert "bad.json: fuses main has the unknown rating" in capsys.readouterr().err
    assert main(files(bad={"fuses": {"main": {"rating_a": -1}}})) == 2
    assert "bad.json: fuse main has a rating of -1 A" in capsys.readouterr().err
    assert main(files(bad={"outlets": {"a": None}})) == 2
    assert "bad: outlet a does not exist" in capsys.readouterr().err
    assert main([*files(), "--variant", "nothing"]) == 2
    assert "it must be NAME=CHANGES.json" in capsys.readouterr().err
    assert main([*files(bad={}), "--variant", "bad=x.json"]) == 2
    assert "with a name of its own" in capsys.readouterr().err


def test_what_is_not_there_is_told(files: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files, visits of a time, and which visits at all."""
    site, visits = files()
    assert main([site, str(tmp_path / "none.csv")]) == 2
    assert "none.csv can't be read: No such file" in capsys.readouterr().err
    assert main([str(tmp_path / "none.json"), visits]) == 2
    assert "none.json can't be read: No such file" in capsys.readouterr().err
    assert main([site, visits, "--from", "2027-01-01"]) == 2
    assert "no visits of that time" in capsys.readouterr().err
    assert main([site, visits, "--to", "soon"]) == 2
    assert "--to: 'soon' is not a time" in capsys.readouterr().err
    assert main([site]) == 2
    assert "either a VISITS.csv or --journal" in capsys.readouterr().err
    assert main([site, "--journal", str(tmp_path / "none")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_example_answers_its_question(capsys: pytest.CaptureFixture[str]) -> None:
    """Rewiring brings a good part of what a larger main fuse brings, as its page says."""
    changes = [f"--variant={n}={EXAMPLE / n}.json" for n in ("main-35", "rewired", "turns")]
    args = [str(EXAMPLE / "site.json"), str(EXAMPLE / "visits.csv"), *changes]
    variants = by_name(args, capsys)
    base, larger, rewired = (variants[n]["delivered_wh"] for n in ("baseline", "main-35", "rewired"))
    assert base + (larger - base) / 2 < rewired < larger
    assert variants["baseline"]["sessions"] == 212
