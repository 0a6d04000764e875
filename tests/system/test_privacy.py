"""Nobody's name leaves the account's own tables: not to the hardware, not into a log line."""

import base64
import json

from infra.local.deploy import FUNCTIONS, ROOT
from iot.simulator.loads import Car
from tests.system.stage import Stage, outlet, refused


def test_nothing_personal_on_device_topics_or_in_logs(stage: Stage) -> None:
    """After a whole session and some refusals neither e-mail, user id nor token stands in any message or log line."""
    place = stage.place("quiet", outlet("quiet", 1)).start()
    anna = place.user("very-personal")
    place.runner.plug("M1", Car(needs_wh=100_000.0, phases=1, reaction_s=0.5, ramp_s=0.5))
    session = anna.start(place.outlet(1), "my-own-key-of-today")["id"]
    place.charging(anna, session)
    refused(anna.start, place.outlet(1))
    refused(anna.start, "nowhere")
    refused(stage.cloud.anyone().sign_in, place.email("very-personal"), "Wrong-1-password")
    anna.stop(session)
    place.until(anna, session, "ended")

    token = str(anna._token)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    secrets = [place.email("very-personal"), claims["sub"], token, "my-own-key-of-today", "Wrong-1-password"]

    lines = [line for name in FUNCTIONS for line in logged(stage, name)]
    assert any('"request"' in line for line in lines)
    assert any('"messages taken"' in line for line in lines)
    wire = place.wire()
    assert wire.down
    messages = [payload.decode() for _, payload in wire.up] + [payload.decode() for payload in wire.down]
    # The session's id is derived from the user's: the hardware does not need it either.
    for secret in (*secrets, session):
        assert not [message for message in messages if secret in message]
    for secret in secrets:
        assert not [line for line in lines if secret in line]
    # The account's own log holds what functions print as well; its emulated services name users by themselves.
    printed = (ROOT / "build" / "system.log").read_text(errors="replace").splitlines()
    for secret in secrets[1:]:
        assert not [line for line in printed if secret in line and '"message"' in line]
    facts = json.dumps(place.facts())
    assert not [secret for secret in secrets if secret in facts]


def logged(stage: Stage, function: str) -> list[str]:
    """Read all that a function has logged."""
    pages = (
        stage.cloud.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{stage.cloud.outputs.function(function)}")
    )
    return [event["message"] for page in pages for event in page["events"]]
