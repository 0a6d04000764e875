"""Give simulated bridges what provisioning gives a real one: a thing, a certificate and the policy."""

from dataclasses import dataclass
from pathlib import Path

from infra.local.deploy import Outputs
from infra.local.ministack import Account


@dataclass(frozen=True, slots=True)
class BridgeFiles:
    """What the bridge's agent needs to connect as itself."""

    bridge: str
    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path


def register_bridge(account: Account, outputs: Outputs, bridge: str, folder: Path) -> BridgeFiles:
    """Register a bridge and write its key and certificate into a folder."""
    iot = account.client("iot")
    iot.create_thing(thingName=bridge)
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_thing_principal(thingName=bridge, principal=made["certificateArn"])
    iot.attach_policy(policyName=outputs.bridge_policy_name, target=made["certificateArn"])
    folder.mkdir(parents=True, exist_ok=True)
    files = BridgeFiles(
        bridge=bridge,
        host=account.mqtt_host,
        port=account.mqtt_port,
        ca=folder / "ca.pem",
        certificate=folder / f"{bridge}.pem",
        key=folder / f"{bridge}.key",
    )
    files.ca.write_bytes(account.ca.read_bytes())
    files.certificate.write_text(made["certificatePem"], encoding="ascii")
    files.key.touch(mode=0o600)
    files.key.write_text(made["keyPair"]["PrivateKey"], encoding="ascii")
    return files
