"""AWS IoT's question before it registers a device."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from epspot.access import Level, Scope
from epspot.errors import Conflict
from epspot.services.authorize import place_of
from epspot.services.changing import Actor
from epspot.services.claim_bridge import Invitation, invite_bridge
from functions.provisioning import handler as provisioning
from tests.unit.functions.conftest import Logged
from tests.unit.functions.test_handlers import Context
from tests.unit.services.house import House
from tests.unit.services.test_claim_bridge import with_site


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """Take in a bare site and put its house behind the handler."""
    made = with_site(House())
    monkeypatch.setattr(provisioning, "world", lambda: made)
    return made


@pytest.fixture
def invitation(house: House) -> Invitation:
    """Ask for a code."""
    return invite_bridge(
        house.claiming, Actor("user:anna", house.clock.at), place_of(house.gate, Scope(Level.SITE, "s"))
    )


def asked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make what AWS IoT asks."""
    return {
        "claimCertificateId": "c" * 64,
        "certificateId": "d" * 64,
        "certificatePem": "-----BEGIN CERTIFICATE-----",
        "templateArn": "arn:aws:iot:eu-north-1:000000000000:provisioningtemplate/epspot",
        "clientId": "epspot-claim-1",
        "parameters": parameters,
    }


def test_the_right_code_names_the_bridge(house: House, invitation: Invitation) -> None:
    """The device is registered as the bridge that the code stands for, whatever it says of that itself."""
    answer = provisioning.handler(
        asked({"SerialNumber": "EP-1", "Code": invitation.code, "BridgeId": "s-b1"}), Context()
    )
    assert answer == {"allowProvisioning": True, "parameterOverrides": {"BridgeId": invitation.bridge}}
    assert house.lives.load("s")[0].bridges == (invitation.bridge,)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"SerialNumber": "EP-1"},
        {"Code": "CODE-CODE-0002"},
        {"SerialNumber": "EP-1", "Code": "WRONG"},
        {"SerialNumber": None, "Code": None},
        {"SerialNumber": ["EP-1"], "Code": {"a": 1}},
    ],
)
def test_all_else_is_refused(house: House, invitation: Invitation, parameters: Mapping[str, Any]) -> None:
    """What lacks something, is wrong or has another form is refused without an error, and names no bridge."""
    assert invitation.code == "CODE-CODE-0002"
    assert provisioning.handler(asked(parameters), Context()) == {"allowProvisioning": False}
    assert house.lives.load("s")[0].bridges == ()


@pytest.mark.usefixtures("house")
def test_an_event_without_parameters_warms_up() -> None:
    """A batch of nothing, as other functions get, is refused."""
    assert provisioning.handler({"Records": []}, Context()) == {"allowProvisioning": False}


def test_the_log_has_the_reason_and_no_code(invitation: Invitation, logged: Logged) -> None:
    """One line tells what came of it; neither a right nor a wrong code stands in it."""
    provisioning.handler(asked({"SerialNumber": "EP-1", "Code": "WRONG-CODE"}), Context())
    provisioning.handler(asked({"SerialNumber": "EP-1", "Code": invitation.code}), Context())
    refused, taken = logged()
    assert (refused["message"], refused["code"], refused["counts"]) == (
        "claim refused",
        "not_found",
        {"claims_refused": 1},
    )
    assert (taken["message"], taken["bridge"], taken["counts"]) == (
        "claim taken",
        invitation.bridge,
        {"claims_taken": 1},
    )
    for code in ("WRONG-CODE", invitation.code):
        assert code not in json.dumps([refused, taken])


def test_what_we_do_wrong_is_an_error(house: House, invitation: Invitation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of ours is no refusal: AWS IoT refuses by itself, and the error is counted."""

    def fail(*_: object) -> None:
        raise Conflict("s")

    monkeypatch.setattr(house.lives, "commit", fail)
    with pytest.raises(Conflict), pytest.warns(UserWarning, match="No application metrics"):
        provisioning.handler(asked({"SerialNumber": "EP-1", "Code": invitation.code}), Context())
