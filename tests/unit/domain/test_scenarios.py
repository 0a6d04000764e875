"""Allocation problems with their solutions, as JSON (tests/scenarios), and scenarios that must be refused."""

import json
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from epspot.control import scenario, scenario_json
from epspot.control.__main__ import main
from epspot.errors import Refusal

FOLDER = Path(__file__).parents[2] / "scenarios"
FILES = sorted(FOLDER.glob("*.json"))
TOLERANCE_A = 0.01
Scenario = dict[str, Any]


def load(path: Path) -> Scenario:
    content: Scenario = json.loads(path.read_text("utf-8"))
    return content


def assert_expected(found: Scenario, expected: Scenario) -> None:
    assert found["allowances_a"] == pytest.approx(expected["allowances_a"], abs=TOLERANCE_A)
    assert found["waiting"] == expected["waiting"]
    assert found["limited_by"].keys() == expected["limited_by"].keys()
    for o, by in expected["limited_by"].items():
        # <fuse>/*: all its phases are equally full, and any of them is as true a reason.
        assert fnmatchcase(found["limited_by"][o], by), f"{o}: {found['limited_by'][o]}, not {by}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_solution(path: Path) -> None:
    """The solution is the one that the file expects."""
    case = load(path)
    assert_expected(scenario.solve(scenario_json.read(case["request"]))._asdict(), case["expect"])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_command_line_prints_the_solution(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line prints the same as JSON, with the time that it took."""
    case = load(path)
    problem = tmp_path / "problem.json"
    problem.write_text(json.dumps(case["request"]), "utf-8")
    assert main([str(problem), "--repeat", "3"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed.pop("median_ms") >= 0
    assert printed.keys() == {"allowances_a", "waiting", "limited_by"}
    assert_expected(printed, case["expect"])


def run(stdin: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "epspot.control", "-"]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ourselves


def test_as_a_process() -> None:
    """The module runs as a program of its own."""
    case = load(FOLDER / "house_on_one_phase.json")
    done = run(json.dumps(case["request"]))
    assert (done.returncode, done.stderr) == (0, "")
    assert_expected(json.loads(done.stdout), case["expect"])


def test_a_bad_scenario_ends_the_process_without_a_traceback() -> None:
    """A scenario that can't be used ends the program with 2 and one line that says why."""
    done = run('{"fuses": [], "outlets": []}')
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "-: the scenario lacks sessions\n"


# ------------------------------------------------------------------ bad ones

GOOD: Scenario = {
    "fuses": [
        {"id": "main", "parent": None, "rating_a": [25, 25, 25]},
        {"id": "g1", "parent": "main", "rating_a": [20, 20, 20]},
    ],
    "outlets": [{"id": "o1", "fuse": "g1", "phases": ["L1"], "min_a": 6, "max_a": 16}],
    "sessions": [{"outlet": "o1", "since": "2026-01-05T07:00:00Z"}],
}


def put(*place: str | int, value: Any) -> Callable[[Scenario], None]:
    def change(s: Scenario) -> None:
        at: Any = s
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] = value

    return change


def drop(*place: str | int) -> Callable[[Scenario], None]:
    def change(s: Scenario) -> None:
        at: Any = s
        for step in place[:-1]:
            at = at[step]
        del at[place[-1]]

    return change


def loop(s: Scenario) -> None:
    s["fuses"] += [
        {"id": "x", "parent": "y", "rating_a": [9, 9, 9]},
        {"id": "y", "parent": "x", "rating_a": [9, 9, 9]},
    ]


BAD: dict[str, tuple[Callable[[Scenario], None], str]] = {
    "a loop of fuses": (loop, "fuse x is above itself"),
    "a fuse under itself": (put("fuses", 1, "parent", value="g1"), "fuse g1 is above itself"),
    "a fuse under nothing": (put("fuses", 1, "parent", value="g9"), "fuse g1 hangs under g9, which does not exist"),
    "two main fuses": (put("fuses", 1, "parent", value=None), "one main fuse, not 2"),
    "no main fuse": (put("fuses", 0, "parent", value="g1"), "one main fuse, not 0"),
    "no fuse": (put("fuses", value=[]), "one main fuse, not 0"),
    "a fuse twice": (put("fuses", 1, "id", value="main"), "fuse main stands twice"),
    "a rating of zero": (put("fuses", 0, "rating_a", value=[25, 0, 25]), "rating of 0 A"),
    "a negative rating": (put("fuses", 0, "rating_a", value=[25, -1, 25]), "is -1; it must be at least 0"),
    "a rating that is no number": (put("fuses", 0, "rating_a", 1, value=float("nan")), "must be a number"),
    "an infinite rating": (put("fuses", 0, "rating_a", 1, value=float("inf")), "must be a number"),
    "a rating beyond any number": (put("fuses", 0, "rating_a", 1, value=10**400), "must be a number"),
    "a rating for one phase": (put("fuses", 0, "rating_a", value=[25]), "three numbers"),
    "a rating as text": (put("fuses", 0, "rating_a", value="25"), "three numbers"),
    "negative other load": (put("fuses", 0, "other_a", value=[-1, 0, 0]), "at least 0"),
    "half a session": (put("fuses", 0, "max_sessions", value=1.5), "whole number or null"),
    "fewer than no sessions": (put("fuses", 0, "max_sessions", value=-1), "allows -1 sessions"),
    "an unknown principle": (put("policy", value={"principle": "luck"}), "'luck' is not known; use one of equal"),
    "a turn of no time": (put("policy", value={"turn_minutes": 0}), "turn_minutes is 0"),
    "no fuses": (drop("fuses"), "the scenario lacks fuses"),
    "a fuse without parent": (drop("fuses", 1, "parent"), "fuses[1] lacks parent"),
    "an outlet without max": (drop("outlets", 0, "max_a"), "outlets[0] lacks max_a"),
    "a session without time": (drop("sessions", 0, "since"), "sessions[0] lacks since"),
    "a misspelt key": (put("outlets", 0, "max_A", value=9), "outlets[0] has the unknown max_A"),
    "an outlet under nothing": (put("outlets", 0, "fuse", value="g9"), "outlet o1 hangs under fuse g9"),
    "an outlet twice": (lambda s: s["outlets"].append(s["outlets"][0]), "outlet o1 stands twice"),
    "two phases": (put("outlets", 0, "phases", value=["L1", "L2"]), "one phase or to three different"),
    "a phase twice": (put("outlets", 0, "phases", value=["L1", "L1", "L2"]), "one phase or to three different"),
    "a fourth phase": (put("outlets", 0, "phases", value=["L4"]), "must name L1, L2, L3"),
    "min above max": (put("outlets", 0, "min_a", value=17), "min_a 17 must be above 0 and at most max_a 16"),
    "no min": (put("outlets", 0, "min_a", value=0), "min_a is 0; it must be above 0"),
    "modulated as a word": (put("outlets", 0, "modulated", value="no"), "modulated must be true or false"),
    "a session nowhere": (put("sessions", 0, "outlet", value="o9"), "'o9' is not among the outlets"),
    "a session at a list": (put("sessions", 0, "outlet", value=["o1"]), "is not among the outlets"),
    "a session twice": (lambda s: s["sessions"].append(s["sessions"][0]), "o1 has more than one session"),
    "no weight": (put("sessions", 0, "weight", value=0), "weight is 0; it must be above 0"),
    "a weight that is no number": (put("sessions", 0, "weight", value=float("nan")), "weight must be a number"),
    "yes as a number": (put("sessions", 0, "wants_a", value=True), "wants_a must be a number"),
    "a time in words": (put("sessions", 0, "since", value="this morning"), "since must be a time such as"),
    "a time without zone": (put("sessions", 0, "since", value="2026-01-05T07:00:00"), "must say its time zone"),
    "a list of lists": (put("outlets", value=[[]]), "outlets[0] must be a JSON object"),
    "an object for a list": (put("outlets", value={}), "outlets must be a JSON array"),
}


@pytest.mark.parametrize(("spoil", "says"), BAD.values(), ids=BAD.keys())
def test_a_bad_scenario_is_refused(spoil: Callable[[Scenario], None], says: str) -> None:
    """Each mistake is refused with a sentence that names the place and what is wrong."""
    bad = deepcopy(GOOD)
    spoil(bad)
    with pytest.raises(Refusal) as refusal:
        scenario_json.read(bad)
    assert says in str(refusal.value)


@pytest.mark.parametrize("spoil", [s for s, _ in BAD.values()], ids=BAD.keys())
def test_the_command_line_refuses_it(
    spoil: Callable[[Scenario], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line names the file and the mistake in one line on stderr, prints no solution and returns 2."""
    bad = deepcopy(GOOD)
    spoil(bad)
    problem = tmp_path / "problem.json"
    problem.write_text(json.dumps(bad), "utf-8")
    assert main([str(problem)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{problem}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", "[" * 100_000], ids=lambda t: t[:4] or "empty")
def test_what_is_no_scenario_at_all_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text that is not a JSON object is refused like a bad scenario."""
    problem = tmp_path / "problem.json"
    problem.write_text(text, "utf-8")
    assert main([str(problem)]) == 2
    assert capsys.readouterr().err.startswith(f"{problem}: ")


def test_a_file_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file is told like a bad one."""
    assert main(["nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_extreme_weights_are_solved() -> None:
    """Weights as far apart as numbers go are still shared out within min and max."""
    extreme = deepcopy(GOOD)
    extreme["outlets"].append(GOOD["outlets"][0] | {"id": "o2"})
    extreme["sessions"][0]["weight"] = 1e8
    extreme["sessions"].append(GOOD["sessions"][0] | {"outlet": "o2", "weight": 1e-300})
    solution = scenario.solve(scenario_json.read(extreme))
    assert solution.allowances_a == pytest.approx({"o1": 14, "o2": 6}, abs=TOLERANCE_A)


def test_a_scenario_may_be_larger_than_a_site() -> None:
    """The limit of outlets per site is one of storage, not of allocation."""
    large = deepcopy(GOOD)
    large["outlets"] = [GOOD["outlets"][0] | {"id": f"o{i}"} for i in range(1500)]
    large["sessions"] = [GOOD["sessions"][0] | {"outlet": f"o{i}"} for i in range(1500)]
    assert len(scenario.solve(scenario_json.read(large)).waiting) == 1497
