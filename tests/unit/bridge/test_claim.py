"""A device becomes a bridge as a whole or not at all."""

import json
import os
import stat
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from awsiot import V2ServiceException, iotidentity

from iot.bridge import __main__ as command_line
from iot.bridge import claim as claiming
from iot.bridge.claim import (
    ClaimError,
    ClaimFailed,
    ClaimRefused,
    ClaimSettings,
    Identity,
    Keys,
    MqttRegistrar,
    claim,
    load_identity,
)

CODE = "ABCD-EFGH-JKLM"


class Clerk:
    """``Registrar`` that knows one code; ``at_register`` happens when it is asked."""

    def __init__(self, at_register: Callable[[], object] = lambda: None) -> None:
        self.used: list[tuple[str, str, str]] = []
        self._at_register = at_register

    def make_keys(self) -> Keys:
        return Keys("the certificate", "the key", "the token")

    def register(self, token: str, serial: str, code: str) -> str:
        if code != CODE:
            raise ClaimRefused("wrong")
        self._at_register()
        self.used.append((token, serial, code))
        return "b7"


def everything(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_device_becomes_a_bridge(tmp_path: Path) -> None:
    """Id, certificate and key are kept where only the device's own user can read them, and are found again."""
    clerk = Clerk()
    folder = tmp_path / "deep" / "identity"
    assert load_identity(folder) is None
    made = claim(clerk, "EP-1", CODE, folder)
    assert clerk.used == [("the token", "EP-1", CODE)]
    assert made == load_identity(folder) == Identity("b7", folder / "bridge.crt", folder / "bridge.key")
    assert (made.certificate.read_text(), made.private_key.read_text()) == ("the certificate", "the key")
    assert mode(folder) == 0o700
    assert {mode(p) for p in folder.iterdir()} == {0o600}
    assert everything(tmp_path / "deep") == [
        "identity",
        "identity/bridge.crt",
        "identity/bridge.json",
        "identity/bridge.key",
    ]


def test_a_refusal_leaves_nothing(tmp_path: Path) -> None:
    """The device is what it was, and can try another code."""
    with pytest.raises(ClaimRefused):
        claim(Clerk(), "EP-1", "WRONG", tmp_path / "identity")
    assert everything(tmp_path) == []
    assert claim(Clerk(), "EP-1", CODE, tmp_path / "identity").bridge == "b7"


def test_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store fails in the middle there is no identity at all, and the text says what can be done."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ClaimFailed, match="within an hour"):
        claim(Clerk(), "EP-1", CODE, tmp_path / "identity")
    assert everything(tmp_path) == []


def test_a_code_is_not_used_where_nothing_can_be_kept(tmp_path: Path) -> None:
    """The place is made before the code is shown."""
    (tmp_path / "file").touch()
    clerk = Clerk()
    with pytest.raises(ClaimFailed, match="has not been used"):
        claim(clerk, "EP-1", CODE, tmp_path / "file" / "identity")
    (tmp_path / "identity").mkdir()
    with pytest.raises(ClaimFailed, match="has not been used"):
        claim(clerk, "EP-1", CODE, tmp_path / "identity")
    assert clerk.used == []


def test_a_power_cut_leaves_no_identity(tmp_path: Path) -> None:
    """Before the last moment there is nothing in the identity's place, which a restart would take for one."""
    folder = tmp_path / "identity"
    seen: list[bool] = []
    claim(Clerk(at_register=lambda: seen.append(folder.exists())), "EP-1", CODE, folder)
    assert seen == [False]


# ------------------------------------------------------------------ the SDK's answers


@pytest.fixture
def told(tmp_path: Path) -> ClaimSettings:
    return ClaimSettings("EP-1", "localhost", tmp_path / "claim.crt", tmp_path / "claim.key", port=1)


class Answers:
    """Stands in for the SDK's client: has one answer for everything."""

    def __init__(self, answer: object) -> None:
        self.asked: list[Any] = []
        self._future: Future[Any] = Future()
        if isinstance(answer, Exception):
            self._future.set_exception(answer)
        elif answer is not None:
            self._future.set_result(answer)

    def register_thing(self, request: Any) -> Future[Any]:
        self.asked.append(request)
        return self._future

    create_keys_and_certificate = register_thing


def refusal(code: str) -> V2ServiceException:
    return V2ServiceException("failure", None, iotidentity.V2ErrorResponse(error_code=code, error_message="No."))


def test_a_code_is_shown_with_the_serial_number(told: ClaimSettings) -> None:
    """It goes to the environment's own template, and the thing's name is the bridge's id."""
    registrar = MqttRegistrar(told)
    registrar._identity = answers = Answers(iotidentity.RegisterThingResponse(thing_name="b7"))
    assert registrar.register("token", "EP-1", CODE) == "b7"
    (request,) = answers.asked
    assert (request.template_name, request.certificate_ownership_token) == ("epspot", "token")
    assert request.parameters == {"SerialNumber": "EP-1", "Code": CODE}


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (refusal("AccessDenied"), ClaimRefused, "does not take this code (AccessDenied: No.). Check that it is typed"),
        (refusal("InvocationError"), ClaimFailed, "(InvocationError: No.). Claim again with the same code."),
        (V2ServiceException("failure", RuntimeError("cut off"), None), ClaimFailed, "(cut off). Claim again"),
        (None, ClaimFailed, "(no answer in time). Claim again"),
    ],
)
def test_what_goes_wrong_is_said_with_what_to_do(
    told: ClaimSettings, monkeypatch: pytest.MonkeyPatch, answer: object, kind: type[ClaimError], text: str
) -> None:
    """A code that is not taken is told apart from a cloud that could not answer."""
    monkeypatch.setattr(claiming, "_ANSWER_S", 0.01)
    registrar = MqttRegistrar(told)
    registrar._identity = Answers(answer)
    with pytest.raises(kind) as raised:
        registrar.register("token", "EP-1", CODE)
    assert text in str(raised.value)


def test_a_missing_claim_certificate_is_said(told: ClaimSettings) -> None:
    """The text names the file, and the code is not lost."""
    with pytest.raises(ClaimFailed, match=r"claim\.crt") as raised, MqttRegistrar(told):
        pass
    assert "has not been used" in str(raised.value)


# ------------------------------------------------------------------ the command line

CONFIG: dict[str, Any] = {
    "endpoint": "localhost",
    "state": "state.json",
    "links": "iot.simulator.runner:simulated_links",
    "hardware": {"modules": [{"id": "M1"}]},
    "claim": {"serial": "EP-1", "certificate": "claim.crt", "private_key": "claim.key"},
}


def test_a_claimed_bridge_runs_as_what_it_became(tmp_path: Path) -> None:
    """The config names no bridge: the identity does, and nothing else changes."""
    with pytest.raises(KeyError, match="bridge"):
        command_line.settings(CONFIG, tmp_path)
    claim(Clerk(), "EP-1", CODE, tmp_path / "identity")
    told = command_line.settings(CONFIG, tmp_path)
    assert (told.bridge.bridge, told.certificate) == ("b7", tmp_path / "identity" / "bridge.crt")
    assert told.private_key == tmp_path / "identity" / "bridge.key"


def test_a_config_that_names_its_bridge_is_not_overruled(tmp_path: Path) -> None:
    """An identity that lies beside an older config changes nothing."""
    claim(Clerk(), "EP-1", CODE, tmp_path / "identity")
    config = CONFIG | {"bridge": "b1", "certificate": "b1.crt", "private_key": "b1.key"}
    assert command_line.settings(config, tmp_path).bridge.bridge == "b1"


def test_how_to_claim_stands_in_the_config(tmp_path: Path) -> None:
    """Paths are relative to it, and the prefix chooses the environment."""
    told = command_line.claim_settings(CONFIG | {"prefix": "ab-1", "port": 443, "ca": "ca.pem"}, tmp_path)
    assert (told.serial, told.certificate, told.ca) == ("EP-1", tmp_path / "claim.crt", tmp_path / "ca.pem")
    assert (told.port, told.topics.template, told.topics.claimants) == (443, "ab-1", "ab-1-claim-")


def test_a_bridge_is_claimed_once(tmp_path: Path) -> None:
    """A command line that still has the code says so, asks nobody, and the bridge runs."""
    claim(Clerk(), "EP-1", CODE, tmp_path / "identity")
    assert "b7 already" in command_line.become(CONFIG, tmp_path, "WRONG")
    named = CONFIG | {"bridge": "b1", "certificate": "b1.crt", "private_key": "b1.key"}
    assert "b1 already" in command_line.become(named, tmp_path, "WRONG")


def test_a_device_without_identity_is_told_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent does not run as nobody."""
    path = tmp_path / "bridge.json"
    path.write_text(json.dumps(CONFIG))
    monkeypatch.setattr(sys, "argv", ["iot.bridge", "--config", str(path)])
    with pytest.raises(SystemExit, match=r"lacks 'bridge'.*--claim"):
        command_line.main()


def test_the_command_line_says_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with the text, before anything of the hardware is touched."""
    path = tmp_path / "bridge.json"
    path.write_text(json.dumps(CONFIG | {"links": "nowhere:none"}))
    monkeypatch.setattr(sys, "argv", ["iot.bridge", "--config", str(path), "--claim", CODE])
    with pytest.raises(SystemExit, match="There is no connection to localhost:8883"):
        command_line.main()
    assert everything(tmp_path) == ["bridge.json"]
