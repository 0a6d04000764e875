"""How the peers' environment is asked."""

import sys
from pathlib import Path

import pytest

from epspot.control.scenario import solve
from tests.bench import allocation
from tests.bench.allocation import acnportal_job, equal_weights, problem
from tests.bench.peers import NoPeer, ask_acnportal

JOB = {"kind": "allocate", "repeats": 1, "stations": [], "constraints": []}


def test_without_the_environment_there_is_no_peer(tmp_path: Path) -> None:
    """The reason says how to get it."""
    with pytest.raises(NoPeer, match="make bench"):
        ask_acnportal(JOB, tmp_path / "python")


def test_an_environment_without_acnportal_is_no_peer() -> None:
    """The reason names what is missing."""
    with pytest.raises(NoPeer, match="acnportal"):
        ask_acnportal(JOB, Path(sys.executable))


def test_a_worker_that_fails_is_an_error(tmp_path: Path) -> None:
    """It is not taken for a peer that isn't there."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho oh no >&2\nexit 1\n", "utf-8")
    broken.chmod(0o755)
    with pytest.raises(RuntimeError, match="oh no"):
        ask_acnportal(JOB, broken)


def test_the_bench_goes_on_without_its_peer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so and gives no figure."""

    def nobody(_job: object) -> object:
        raise NoPeer("not installed")

    monkeypatch.setattr(allocation, "ask_acnportal", nobody)
    assert allocation.against_acnportal() == []
    assert "not installed" in capsys.readouterr().err


def test_the_job_has_every_claim_and_every_fuse_phase() -> None:
    """The same sums are limited: three constraints per fuse, and each outlet under all of its fuses."""
    of = equal_weights(problem(40))
    job = acnportal_job(of)
    assert [s["id"] for s in job["stations"]] == [c.outlet for c in of.claims]
    assert len(job["constraints"]) == len(of.network.names)
    for c in of.claims:
        under = {k["name"] for k in job["constraints"] if c.outlet in k["stations"]}
        assert under == {of.network.names[i] for i in of.network.paths[c.outlet]}


def test_times_are_compared_with_the_fastest_that_solves_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Round robin shares fairly; first come does not, so its time is a figure of its own."""
    monkeypatch.setattr(allocation, "PEER_SIZE", 40)
    of = equal_weights(problem(40))
    currents = solve(of).allowances_a
    took_ms = {"round_robin_continuous": 9000.0, "round_robin_pilots": 1000.0, "first_come_pilots": 500.0}
    answers = {name: {"median_ms": ms, "currents_a": currents} for name, ms in took_ms.items()}
    monkeypatch.setattr(allocation, "ask_acnportal", lambda _job: {"peer": "acnportal 9", "answers": answers})
    monkeypatch.setattr(allocation, "median_ms", lambda _of: 2.0)
    figures = {f.name: f for f in allocation.against_acnportal()}
    assert figures["times_faster_than_acnportal_40"].value == 500
    assert figures["times_faster_than_its_fastest_40"].value == 250
    assert figures["round_robin_differs_40_a"].value == 0
    assert figures["round_robin_pilots_40_outlets"].peer == "acnportal 9"
    assert figures["decide_40_outlets"].peer is None
