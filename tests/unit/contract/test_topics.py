"""Where messages go."""

import pytest

from iot.contract import InvalidMessage, Topics, bridge_of


def test_a_bridge_speaks_to_one_rule() -> None:
    """Upward topics are basic ingest, with the environment's prefix in rule and topic."""
    topics = Topics("epspot-test")
    assert topics.up("b1", "frame") == "$aws/rules/epspot_test_frame/epspot-test/v1/b1/frame"
    assert topics.command("b1") == "epspot-test/v1/b1/command"


@pytest.mark.parametrize("kind", ["frame", "event", "history"])
def test_the_rule_sees_whose_message_it_is(kind: str) -> None:
    """What a rule sees of a topic names the bridge that was allowed to publish there."""
    topics = Topics()
    plain = topics.up("b-17", kind).removeprefix(f"$aws/rules/{topics.rule(kind)}/")
    assert plain == topics.plain("b-17", kind)
    assert bridge_of(plain) == "b-17"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "epspot/v1/b1",
        "epspot/v2/b1/frame",
        "epspot/v1/B1/frame",
        "epspot/v1//frame",
        "epspot/v1/b1/x/frame",
        "epspot/v1/+/frame",
        "epspot/v1/b1\n/frame",
    ],
)
def test_another_topic_is_refused(topic: str) -> None:
    """A topic that is not of this contract's version names no bridge."""
    with pytest.raises(InvalidMessage) as refusal:
        bridge_of(topic)
    assert refusal.value.reason == "topic"


@pytest.mark.parametrize("prefix", ["", "Epspot", "a/b", "+", "-a", "a" * 32, "a\n"])
def test_a_prefix_is_a_plain_word(prefix: str) -> None:
    """A prefix that could mean something else in a topic is refused."""
    with pytest.raises(InvalidMessage) as refusal:
        Topics(prefix)
    assert refusal.value.reason == "prefix"
