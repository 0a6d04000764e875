"""Give simulated bridges what real ones have: what provisioning makes of them, or what they have from the factory."""

from dataclasses import dataclass
from pathlib import Path

from infra.local.deploy import Outputs
from infra.local.ministack import Account
from iot.bridge.claim import ClaimSettings
from iot.contract import Topics


@dataclass(frozen=True, slots=True)
class BridgeFiles:
    """What the bridge's agent needs to connect as itself."""

    bridge: str
    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path
    arn: str
    """Of the certificate."""


def register_bridge(account: Account, outputs: Outputs, bridge: str, folder: Path) -> BridgeFiles:
    """Register a bridge and write its key and certificate into a folder."""
    iot = account.client("iot")
    iot.create_thing(thingName=bridge)
    files = _certify(account, outputs.bridge_policy_name, bridge, folder)
    iot.attach_thing_principal(thingName=bridge, principal=files.arn)
    return files


def make_claimant(account: Account, outputs: Outputs, serial: str, folder: Path) -> ClaimSettings:
    """Give a device what it has from the factory: a serial number, and the certificate with which it can claim itself."""
    files = _certify(account, f"{outputs.prefix}-claim", "claim", folder)
    return ClaimSettings(
        serial=serial,
        endpoint=files.host,
        port=files.port,
        certificate=files.certificate,
        private_key=files.key,
        ca=files.ca,
        topics=Topics(outputs.prefix),
    )


def _certify(account: Account, policy: str, name: str, folder: Path) -> BridgeFiles:
    """Make a certificate with a policy, and write it into a folder with its key and what the device trusts."""
    iot = account.client("iot")
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=policy, target=made["certificateArn"])
    folder.mkdir(parents=True, exist_ok=True)
    files = BridgeFiles(
        bridge=name,
        host=account.mqtt_host,
        port=account.mqtt_port,
        ca=folder / "ca.pem",
        certificate=folder / f"{name}.pem",
        key=folder / f"{name}.key",
        arn=made["certificateArn"],
    )
    files.ca.write_bytes(account.ca.read_bytes())
    files.certificate.write_text(made["certificatePem"], encoding="ascii")
    files.key.touch(mode=0o600)
    files.key.write_text(made["keyPair"]["PrivateKey"], encoding="ascii")
    return files
