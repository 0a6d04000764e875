"""The templates keep the house rules: logs that end, queues with a way out, the narrowest rights."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from iot.contract.topics import Topics

ROOT = Path(__file__).parents[2]
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
NESTED = {
    name: yaml_parse((ROOT / resource["Properties"]["TemplateURL"]).read_text(encoding="utf-8"))
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::CloudFormation::Stack"
}
EVERYWHERE = {"": TEMPLATE} | NESTED

WITHOUT_REDRIVE = {
    "Frames": "a frame is useless after 60 s, and the next one repairs all",
    "EventsDlq": "the end of the line",
    "HistoryDlq": "the end of the line",
    "ClockDlq": "the end of the line",
    "WebhookDlq": "the end of the line",
    "Refused": "the end of the line",
    "RelayAside": "the end of the line",
    "RuleErrors": "the end of the line",
}
WITHOUT_RESOURCE = {"iot:DescribeEndpoint"}
"""Actions that have no resource to name."""
BY_SENDER = {"StringEqualsIfExists": {"ses:FromAddress": {"Ref": "MailFrom"}}}
"""What mail may be sent is told by its sender, since an address may be verified by itself or with its domain."""

ENVIRONMENT = {
    "APP_URL",
    "BUS_NAME",
    "CORE_TABLE",
    "DELIVERIES_DLQ_URL",
    "DELIVERIES_URL",
    "JOURNAL_STREAM",
    "LIVE_ROLE_ARN",
    "PARTY_ID",
    "LIVE_TABLE",
    "LOG_LEVEL",
    "MAIL_FROM",
    "POWERTOOLS_SERVICE_NAME",
    "PRICES_SOURCE",
    "REFUSED_QUEUE_URL",
    "RELAY_ASIDE_URL",
    "TOPIC_PREFIX",
    "USER_POOL_CLIENT_ID",
    "USER_POOL_DOMAIN",
    "USER_POOL_ID",
    "WEATHER_SOURCE",
    "WEBHOOKS_ALLOW_LOOPBACK",
}


def resources(kind: str, template: dict[str, Any] = TEMPLATE) -> dict[str, dict[str, Any]]:
    """Select a template's resources of one type, by logical name."""
    return {
        name: resource["Properties"] for name, resource in template["Resources"].items() if resource["Type"] == kind
    }


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Visit every mapping below a node."""
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from walk(child)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


FUNCTIONS = resources("AWS::Serverless::Function")
QUEUES = resources("AWS::SQS::Queue", NESTED["Messaging"])
each_function = pytest.mark.parametrize("name", FUNCTIONS)


@each_function
def test_logs_of_a_function_end(name: str) -> None:
    """Every function writes to a log group of the template, named after it, that has a retention."""
    group = resources("AWS::Logs::LogGroup")[FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert group["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{FUNCTIONS[name]['FunctionName']['Fn::Sub']}"}


@each_function
def test_handler_is_in_the_package(name: str) -> None:
    """Every handler names a module of the package and something that the module defines."""
    module, _, attribute = FUNCTIONS[name]["Handler"].rpartition(".")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
    assert re.search(rf"^(def {attribute}\b|{attribute}\b.*=)", source, re.MULTILINE)


def test_functions_share_runtime_architecture_and_environment() -> None:
    """What all functions have in common stands once, in Globals."""
    shared = TEMPLATE["Globals"]["Function"]
    assert (shared["Runtime"], shared["Architectures"]) == ("python3.13", ["arm64"])
    assert set(shared["Environment"]["Variables"]) == ENVIRONMENT
    for function in FUNCTIONS.values():
        assert not {"Runtime", "Architectures", "Environment", "CodeUri"} & set(function)


@each_function
def test_queue_consumer_is_bounded_and_fails_by_the_message(name: str) -> None:
    """A burst never becomes an avalanche, and one bad message never repeats its batch."""
    for event in FUNCTIONS[name].get("Events", {}).values():
        if event["Type"] != "SQS":
            continue
        source = event["Properties"]
        queue = source["Queue"]["Fn::GetAtt"][1].removeprefix("Outputs.").removesuffix("Arn")
        assert source["ScalingConfig"]["MaximumConcurrency"] >= 2
        assert queue in WITHOUT_REDRIVE or source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        timeout_s = FUNCTIONS[name].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])
        assert QUEUES[queue]["VisibilityTimeout"] >= timeout_s


@pytest.mark.parametrize("name", QUEUES)
def test_queue_has_a_way_out(name: str) -> None:
    """A queue gives a message up into a dead-letter queue of the template, or says why not."""
    assert ("RedrivePolicy" in QUEUES[name]) != (name in WITHOUT_REDRIVE)
    if redrive := QUEUES[name].get("RedrivePolicy"):
        assert redrive["deadLetterTargetArn"]["Fn::GetAtt"][0] in WITHOUT_REDRIVE
        assert redrive["maxReceiveCount"] == 5
    assert QUEUES[name]["SqsManagedSseEnabled"] is True


def test_everything_set_aside_raises_an_alarm() -> None:
    """A person is told of every message that nobody will try again."""
    alarms = resources("AWS::CloudWatch::Alarm", NESTED["Observability"])
    watched = {alarm["Dimensions"][0]["Value"]["Ref"].removesuffix("Name") for alarm in alarms.values()}
    assert watched == set(WITHOUT_REDRIVE) - {"Frames"} | {"JournalStream"}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_rights_are_narrow(name: str) -> None:
    """No statement allows a wildcard of actions, or anything on everything that could be named."""
    for statement in walk(EVERYWHERE[name]["Resources"]):
        if statement.get("Effect") != "Allow":
            continue
        actions = set(as_list(statement["Action"]))
        assert not {action for action in actions if "*" in action}
        if "*" in as_list(statement.get("Resource")):
            assert actions <= WITHOUT_RESOURCE or statement["Condition"] == BY_SENDER


@pytest.mark.parametrize("name", NESTED)
def test_nested_stack_gets_and_gives_what_is_named(name: str) -> None:
    """The root gives exactly the parameters that a nested stack declares, and reads only what it puts out."""
    given = set(TEMPLATE["Resources"][name]["Properties"].get("Parameters", {}))
    assert given == set(NESTED[name].get("Parameters", {}))
    # Both forms of reading: !GetAtt Data.Outputs.X and !Sub '${Data.Outputs.X}/…'.
    text = json.dumps(TEMPLATE)
    read = set(re.findall(rf'\["{name}", "Outputs\.(\w+)"\]|{name}\.Outputs\.(\w+)', text))
    assert {first or second for first, second in read} <= set(NESTED[name].get("Outputs", {}))


@pytest.mark.parametrize("name", NESTED)
def test_nested_stacks_hold_plain_resources(name: str) -> None:
    """SAM's transform and its Globals reach only the root template."""
    assert not [
        resource for resource in NESTED[name]["Resources"].values() if resource["Type"].startswith("AWS::Serverless")
    ]


@pytest.mark.parametrize("kind", ["frame", "event", "history"])
def test_bridges_reach_the_rules_by_the_contracts_topics(kind: str) -> None:
    """Rule names, their topics and the bridges' rights are those that the contract gives."""
    topics = Topics("ab-1")
    rule = resources("AWS::IoT::TopicRule", NESTED["Bridges"])[f"{kind.capitalize()}Rule"]
    name, variables = rule["RuleName"]["Fn::Sub"]
    assert variables == {"Name": {"Fn::Join": ["_", {"Fn::Split": ["-", {"Ref": "Prefix"}]}]}}
    assert name.replace("${Name}", "ab_1") == topics.rule(kind)
    sql = rule["TopicRulePayload"]["Sql"]["Fn::Sub"].replace("${Prefix}", "ab-1")
    assert sql.endswith(f"FROM '{topics.plain('+', kind)}'")
    policy = resources("AWS::IoT::Policy", NESTED["Bridges"])["BridgePolicy"]["PolicyDocument"]
    publish = next(right for right in policy["Statement"] if right["Action"] == "iot:Publish")
    allowed = {
        resource["Fn::Sub"]
        .partition(":topic/")[2]
        .replace(f"${{{kind.capitalize()}Rule}}", topics.rule(kind))
        .replace("${Prefix}", "ab-1")
        .replace("${!iot:Connection.Thing.ThingName}", "b1")
        for resource in publish["Resource"]
    }
    assert topics.up("b1", kind) in allowed


def test_a_device_may_only_claim_itself() -> None:
    """The claim certificate can ask for keys and for a registration by this environment's template, and hear the answers."""
    stack, topics = NESTED["Provisioning"], Topics("ab-1")
    template = resources("AWS::IoT::ProvisioningTemplate", stack)["BridgeTemplate"]
    assert template["TemplateName"] == {"Ref": "Prefix"}
    asked = ("$aws/certificates/create/json", f"$aws/provisioning-templates/{topics.template}/provision/json")
    answers = {f"{topic}/{answer}" for topic in asked for answer in ("accepted", "rejected")}
    policy = resources("AWS::IoT::Policy", stack)["ClaimPolicy"]["PolicyDocument"]
    allowed = {
        right["Action"]: {
            resource["Fn::Sub"]
            .partition("${AWS::AccountId}:")[2]
            .replace("${Prefix}", "ab-1")
            .replace("${BridgeTemplate}", "ab-1")
            for resource in as_list(right["Resource"])
        }
        for right in policy["Statement"]
    }
    assert allowed == {
        "iot:Connect": {f"client/{topics.claimants}*"},
        "iot:Publish": {f"topic/{topic}" for topic in asked},
        "iot:Subscribe": {f"topicfilter/{topic}" for topic in answers},
        "iot:Receive": {f"topic/{topic}" for topic in answers},
    }


def test_only_our_template_asks_the_hook() -> None:
    """AWS IoT may invoke the function for this environment's template, and the template makes a bridge as the hook says."""
    permission = resources("AWS::Lambda::Permission")["ProvisioningPermission"]
    assert permission["Principal"] == "iot.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":provisioningtemplate/${Prefix}")
    assert TEMPLATE["Resources"]["Provisioning"]["DependsOn"] == "ProvisioningPermission"
    given = TEMPLATE["Resources"]["Provisioning"]["Properties"]["Parameters"]
    assert given["HookArn"] == {"Fn::GetAtt": ["ProvisioningFunction", "Arn"]}
    template = resources("AWS::IoT::ProvisioningTemplate", NESTED["Provisioning"])["BridgeTemplate"]
    assert template["PreProvisioningHook"] == {"TargetArn": {"Ref": "HookArn"}, "PayloadVersion": "2020-04-01"}
    body = json.loads(template["TemplateBody"]["Fn::Sub"])
    assert {*body["Parameters"]} == {"SerialNumber", "Code", "BridgeId", "AWS::IoT::Certificate::Id"}
    assert "Default" not in json.dumps(body["Parameters"])
    made = {resource["Type"]: resource["Properties"] for resource in body["Resources"].values()}
    assert made["AWS::IoT::Thing"]["ThingName"] == {"Ref": "BridgeId"}
    assert made["AWS::IoT::Policy"] == {"PolicyName": "${BridgePolicyName}"}
    assert given["BridgePolicyName"] == {"Fn::GetAtt": ["Bridges", "Outputs.BridgePolicyName"]}


def test_nobody_changes_what_the_audit_log_says() -> None:
    """Whatever function may change or delete records has the right that denies it for lines of the audit log."""
    shared = TEMPLATE["Resources"]["DecideRights"]["Properties"]["PolicyDocument"]["Statement"]
    (denied,) = [s for s in shared if s["Effect"] == "Deny"]
    assert denied["Condition"] == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["AUDIT#*"]}}
    assert {*denied["Action"]} == {"dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    for function in resources("AWS::Serverless::Function").values():
        own = [node for node in walk(function["Policies"]) if node.get("Effect") == "Allow"]
        if {"dynamodb:UpdateItem", "dynamodb:DeleteItem"} & {a for node in own for a in as_list(node["Action"])}:
            assert {"Ref": "DecideRights"} in function["Policies"]


def test_who_listens_hears_live_topics_and_nothing_else() -> None:
    """Browsers are lent a role that connects only under its own names, hears only live topics, and says nothing."""
    topics = Topics("ab-1")
    (policy,) = resources("AWS::IAM::Role")["LiveRole"]["Policies"]
    allowed = {s["Action"]: s["Resource"]["Fn::Sub"] for s in policy["PolicyDocument"]["Statement"]}
    assert {
        action: on.partition(":${AWS::AccountId}:")[2].replace("${Prefix}", "ab-1") for action, on in allowed.items()
    } == {
        "iot:Connect": f"client/{topics.listeners}*",
        "iot:Subscribe": f"topicfilter/{topics.live('', '')}".rstrip("/") + "/*",
        "iot:Receive": f"topic/{topics.live('', '')}".rstrip("/") + "/*",
    }


def test_bridges_have_no_part_in_live_topics() -> None:
    """No right of a bridge, or of a device that claims to be one, reaches a live topic."""
    for stack in ("Bridges", "Provisioning"):
        for policy in resources("AWS::IoT::Policy", NESTED[stack]).values():
            assert "/live/" not in json.dumps(policy)
            for statement in policy["PolicyDocument"]["Statement"]:
                assert not any(
                    "*" in json.dumps(r).rpartition(":")[2].replace("-claim-*", "")
                    for r in as_list(statement["Resource"])
                )


def test_the_journal_is_private_and_ends() -> None:
    """Nobody but the account reads the journal; it is encrypted, and nothing in it is older than 90 days."""
    bucket = resources("AWS::S3::Bucket", NESTED["Journal"])["Bucket"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"], rule.get("Prefix", "")) == ("Enabled", 90, "")
    stream = resources("AWS::KinesisFirehose::DeliveryStream", NESTED["Journal"])["Stream"]
    assert stream["ExtendedS3DestinationConfiguration"]["CompressionFormat"] == "GZIP"


def test_rule_that_cannot_deliver_says_so() -> None:
    """Every topic rule has an error action."""
    for rule in resources("AWS::IoT::TopicRule", NESTED["Bridges"]).values():
        assert rule["TopicRulePayload"]["ErrorAction"]["Sqs"]["QueueUrl"] == {"Ref": "RuleErrorsUrl"}
