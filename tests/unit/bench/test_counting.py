"""AWS from memory: what it answers, and what it counts."""

import botocore.session
import pytest
from botocore.exceptions import ClientError

from tests.bench.counting import Cloud
from tests.bench.prices import Usage


@pytest.fixture
def cloud() -> Cloud:
    return Cloud(Usage("test"))


def _client(service: str) -> object:
    return botocore.session.get_session().create_client(
        service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def test_a_condition_that_fails_is_charged_and_changes_nothing(cloud: Cloud) -> None:
    """As in DynamoDB: a refused write costs what a write costs."""
    put = {"TableName": "live", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "version": {"N": "2"}}}
    condition = {
        "ConditionExpression": "#0 = :0",
        "ExpressionAttributeNames": {"#0": "version"},
        "ExpressionAttributeValues": {":0": {"N": "1"}},
    }
    with cloud.installed():
        client = _client("dynamodb")
        with pytest.raises(ClientError):
            client.put_item(**put, **condition)  # type: ignore[attr-defined]
        client.put_item(**put)  # type: ignore[attr-defined]
    assert cloud.usage.total("dynamodb.write_unit") == 2
    assert cloud.tables["live"]["a"]["b"]["version"] == {"N": "2"}


def test_a_moved_due_time_costs_the_index_two_writes(cloud: Cloud) -> None:
    """One for the item, one to leave the old place in the index, one to enter the new."""
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}, "due_shard": {"S": "due#1"}, "due_at": {"N": "60"}}
    with cloud.installed():
        client = _client("dynamodb")
        client.put_item(TableName="live", Item=item)  # type: ignore[attr-defined]
        assert cloud.usage.total("dynamodb.write_unit") == 2
        client.put_item(TableName="live", Item=item | {"due_at": {"N": "120"}})  # type: ignore[attr-defined]
    assert cloud.usage.total("dynamodb.write_unit") == 5
    assert cloud.due(120)
    assert not cloud.due(119)


def test_a_command_is_metered_in_out_and_acknowledged(cloud: Cloud) -> None:
    """A QoS 1 message of at most 5 KB is three messages to AWS IoT."""
    heard: list[str] = []
    cloud.on_command = lambda topic, _payload: heard.append(topic)
    with cloud.installed():
        _client("iot-data").publish(topic="t", qos=1, payload=b"x")  # type: ignore[attr-defined]
    assert cloud.usage.total("iot.message") == 3
    assert heard == ["t"]
