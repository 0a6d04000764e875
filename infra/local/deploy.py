"""Deploy template.yaml into the emulated account, with the recipes and the template that AWS gets.

The SAM command line and Lambda's own Python version are not needed: the recipes run for this interpreter, and
the account expands SAM itself. What its CloudFormation leaves out is set afterwards, from the same template.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, cast

from botocore.exceptions import WaiterError
from samtranslator.yaml_helper import yaml_parse

from infra.local.ministack import REGION, Account

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "infra" / "package" / "Makefile"
CACHE = ROOT / "build" / "layers"
FUNCTIONS = ("control", "clock", "outlook", "api", "identity", "relay", "history", "webhooks")
WORKERS = {"control": 2}
"""How many processes to warm where one isn't enough: the control function takes two batches at once."""

MAIL_FROM = "epspot@example.com"
"""Who sends mail there."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE = 0o755 << 16

Template = dict[str, Any]


class DeployError(RuntimeError):
    """The stack, or a function in it, did not come up."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the stack made, under the template's own names of its outputs."""

    prefix: str
    api_id: str
    api_url: str
    user_pool_id: str
    user_pool_client_id: str
    live_table: str
    core_table: str
    bus_name: str
    bridge_policy_name: str
    frames_url: str
    events_url: str
    history_work_url: str
    events_dlq_url: str
    history_dlq_url: str
    deliveries_url: str
    webhook_dlq_url: str
    clock_dlq_url: str
    refused_url: str
    relay_aside_url: str
    rule_errors_url: str
    journal_stream: str
    journal_bucket: str
    live_role_arn: str

    @classmethod
    def read(cls, stack: Mapping[str, Any], prefix: str, endpoint: str) -> Self:
        """Read a stack's outputs; the API's address is the account's own."""
        told = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        told |= {"Prefix": prefix, "ApiUrl": f"{endpoint}/_aws/execute-api/{told['ApiId']}/api"}
        return cls(**{field.name: told[_camel(field.name)] for field in fields(cls)})

    def function(self, name: str) -> str:
        """Name a deployed function."""
        return f"{self.prefix}-{name}"


def deploy(account: Account, prefix: str = "epspot", parameters: Mapping[str, str] | None = None) -> Outputs:
    """Build, upload, create or update the stack, and set what the account's CloudFormation leaves out.

    Raises DeployError with the stack's own reasons if it fails.
    """
    store = _Store(account, f"{prefix}-packages")
    template = _load(ROOT / "template.yaml")
    template["Globals"]["Function"]["CodeUri"] = store.put(_zip(_build("ControlFunction")))
    nested = {}
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = store.put(_zip(_build(name)))
        elif resource["Type"] == "AWS::CloudFormation::Stack":
            nested[name] = _load(ROOT / properties["TemplateURL"])
            properties["TemplateURL"] = store.url(store.put(json.dumps(nested[name]).encode()))
    account.client("ses").verify_email_identity(EmailAddress=MAIL_FROM)
    given = {"MailFrom": MAIL_FROM, **(parameters or {})}
    stack = _apply(account, prefix, store.url(store.put(json.dumps(template).encode())), given)
    _complete(account, prefix, template, nested)
    return Outputs.read(stack, prefix, account.endpoint)


def warm_up(account: Account, outputs: Outputs) -> None:
    """Start each function's process before devices and users arrive.

    Raises DeployError with a function's own error if one can't even take an empty batch.
    """
    client = account.client("lambda")

    def invoke(name: str) -> None:
        # The API takes what API Gateway sends; the others take a batch of nothing.
        event = _HEALTH if name == "api" else {"Records": []}
        answer = client.invoke(FunctionName=outputs.function(name), Payload=json.dumps(event).encode())
        body = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise DeployError(f"{outputs.function(name)}: {body}")

    with ThreadPoolExecutor() as pool:
        list(pool.map(invoke, [name for name in FUNCTIONS for _ in range(WORKERS.get(name, 1))]))


_HEALTH: Mapping[str, Any] = {
    "httpMethod": "GET",
    "headers": {},
    "multiValueHeaders": {},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "body": None,
    "isBase64Encoded": False,
    "path": "/v1/health",
    "requestContext": {"httpMethod": "GET", "resourcePath": "/{proxy+}", "identity": {}, "stage": "api"},
}


# ---------------------------------------------------------------- packages


def _build(target: str) -> Path:
    """Run a recipe, unless this very recipe's result stands in the cache, and return where it stands.

    Only the third-party layer is worth keeping: its key is everything that decides what pip installs.
    """
    folder = CACHE / target
    if target == "DependenciesLayer":
        inputs = (RECIPES, ROOT / "requirements/lambda.txt", ROOT / "layers/dependencies/excluded.txt")
        key = hashlib.sha256(b"\0".join([sys.version.encode(), *(path.read_bytes() for path in inputs)]))
        folder = CACHE / f"{target}-{key.hexdigest()[:16]}"
        if folder.exists():
            return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=CACHE, prefix=".making-"))
    variables = (f"ARTIFACTS_DIR={making}", f"PYTHON={sys.executable}", "WHEELS=")
    run = subprocess.run(  # noqa: S603 - our own recipe
        ["make", "-f", RECIPES, f"build-{target}", *variables],  # noqa: S607 - make is found on PATH, as by sam
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        shutil.rmtree(making)
        raise DeployError(f"build-{target}:\n{run.stderr}")
    shutil.rmtree(folder, ignore_errors=True)
    return making.rename(folder)


def _zip(folder: Path) -> bytes:
    """Pack a folder so that equal content gives equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = _EXECUTABLE
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


class _Store:
    """The bucket that CloudFormation fetches packages and templates from, named by their content."""

    def __init__(self, account: Account, bucket: str) -> None:
        self._s3 = account.client("s3")
        self._bucket = bucket
        self._endpoint = account.endpoint
        if bucket not in {made["Name"] for made in self._s3.list_buckets()["Buckets"]}:
            self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(self, content: bytes) -> dict[str, str]:
        """Upload and return the place, in the form that SAM takes."""
        key = hashlib.sha256(content).hexdigest()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        return {"Bucket": self._bucket, "Key": key}

    def url(self, place: Mapping[str, str]) -> str:
        """Address a place, in the form that CloudFormation takes."""
        return f"{self._endpoint}/{place['Bucket']}/{place['Key']}"


# ---------------------------------------------------------------- the stack


def _load(path: Path) -> Template:
    return cast("Template", yaml_parse(path.read_text(encoding="utf-8")))


def _apply(account: Account, prefix: str, url: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    """Create or update the stack and return its description."""
    client = account.client("cloudformation")
    exists = any(
        stack["StackName"] == prefix and stack["StackStatus"] != "DELETE_COMPLETE"
        for page in client.get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
    )
    act, wait = (
        (client.update_stack, "stack_update_complete") if exists else (client.create_stack, "stack_create_complete")
    )
    try:
        act(
            StackName=prefix,
            TemplateURL=url,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in {"Prefix": prefix, **parameters}.items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        client.get_waiter(wait).wait(StackName=prefix, WaiterConfig={"Delay": 0.2, "MaxAttempts": 600})
    except (client.exceptions.ClientError, WaiterError) as error:
        if "No updates are to be performed" not in str(error):
            raise DeployError(f"{error}\n" + "\n".join(_failures(client, prefix))) from error
    return cast("Mapping[str, Any]", client.describe_stacks(StackName=prefix)["Stacks"][0])


def _failures(client: Any, stack: str) -> Iterator[str]:
    """Tell why resources of a stack failed, first cause first."""
    try:
        events = client.describe_stack_events(StackName=stack)["StackEvents"]
    except client.exceptions.ClientError:
        return
    for event in reversed(events):
        if event["ResourceStatus"].endswith("_FAILED"):
            yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"


# ---------------------------------------------------------------- what CloudFormation leaves out here


def _complete(account: Account, prefix: str, root: Template, nested: Mapping[str, Template]) -> None:
    """Set concurrency, expiry and gateway responses: CloudFormation here accepts and ignores them."""
    client = account.client("cloudformation")
    made = _resources(client, prefix)
    for name, resource in root["Resources"].items():
        properties = resource.get("Properties", {})
        if "ReservedConcurrentExecutions" in properties:
            account.client("lambda").put_function_concurrency(
                FunctionName=made[name],
                ReservedConcurrentExecutions=properties["ReservedConcurrentExecutions"],
            )
        if "GatewayResponses" in properties:
            _set_gateway_responses(account, made[name], properties)
    for name, template in nested.items():
        inside = _resources(client, made[name])
        for inner, resource in template["Resources"].items():
            if "TimeToLiveSpecification" in resource.get("Properties", {}):
                _set_expiry(account, inside[inner], resource["Properties"]["TimeToLiveSpecification"])


def _resources(client: Any, stack: str) -> dict[str, str]:
    """Map a stack's logical names to the physical ones."""
    resources = client.describe_stack_resources(StackName=stack)["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}


def _set_gateway_responses(account: Account, api: str, properties: Mapping[str, Any]) -> None:
    """Set the gateway's own refusals, and deploy the stage anew since a deployment is a snapshot."""
    client = account.client("apigateway")
    for kind, response in properties["GatewayResponses"].items():
        status = {"statusCode": str(response["StatusCode"])} if "StatusCode" in response else {}
        client.put_gateway_response(
            restApiId=api, responseType=kind, responseTemplates=response["ResponseTemplates"], **status
        )
    client.create_deployment(restApiId=api, stageName=properties["StageName"])


def _set_expiry(account: Account, table: str, specification: Mapping[str, Any]) -> None:
    client = account.client("dynamodb")
    now = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if now["TimeToLiveStatus"] == "DISABLED":
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
