"""How a device becomes a bridge: with a code it gets an id, a key and a certificate of its own.

It connects with the certificate that all devices have from the factory, which allows nothing else (AWS IoT fleet
provisioning by claim). What it gets is written as a whole or not at all, and only it can read it.
"""

import json
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import TimeoutError as NotInTime
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from iot.contract import Topics

if TYPE_CHECKING:
    from concurrent.futures import Future

    from awscrt import mqtt5

IDENTITY, CERTIFICATE, PRIVATE_KEY = "bridge.json", "bridge.crt", "bridge.key"

_CONNECT_S = 30.0
_ANSWER_S = 20.0
_REFUSED = "AccessDenied"


class ClaimError(Exception):
    """The device is no bridge yet; the text says why, and what to do."""


class ClaimRefused(ClaimError):
    """The cloud does not take the code."""


class ClaimFailed(ClaimError):
    """The cloud could not be asked, or what it said could not be kept."""


@dataclass(frozen=True, slots=True)
class ClaimSettings:
    """How a device reaches the cloud before it is a bridge."""

    serial: str
    endpoint: str
    certificate: Path
    private_key: Path
    """Of the claim certificate, which all devices share."""
    ca: Path | None = None
    port: int = 8883
    topics: Topics = field(default_factory=Topics)


@dataclass(frozen=True, slots=True)
class Keys:
    """A new key with its certificate, which is nobody's yet."""

    certificate: str
    private_key: str
    token: str
    """Proves whose it is to be."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a bridge is, and where its certificate and its key are."""

    bridge: str
    certificate: Path
    private_key: Path


class Registrar(Protocol):
    """Who makes bridges of devices."""

    def make_keys(self) -> Keys:
        """Make a key and a certificate. Raises ClaimError."""
        ...

    def register(self, token: str, serial: str, code: str) -> str:
        """Make the certificate a bridge's, and tell the bridge's id. Raises ClaimError."""
        ...


def claim(registrar: Registrar, serial: str, code: str, folder: Path) -> Identity:
    """Become a bridge, and remember it in a folder that must not exist yet. Raises ClaimError."""
    # The place is made first: a code that is used and then can't be kept would be lost.
    with _fresh(folder) as fresh:
        keys = registrar.make_keys()
        bridge = registrar.register(keys.token, serial, code)
        _write(fresh / CERTIFICATE, keys.certificate)
        _write(fresh / PRIVATE_KEY, keys.private_key)
        _write(fresh / IDENTITY, json.dumps({"bridge": bridge, "serial": serial}))
    return Identity(bridge, folder / CERTIFICATE, folder / PRIVATE_KEY)


def load_identity(folder: Path) -> Identity | None:
    """Read who this bridge is; None: it has not been claimed."""
    try:
        told = json.loads((folder / IDENTITY).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Identity(told["bridge"], folder / CERTIFICATE, folder / PRIVATE_KEY)


@contextmanager
def _fresh(folder: Path) -> Iterator[Path]:
    """Give a folder that takes its place when all is in it, and is gone if anything goes wrong before."""
    if folder.exists():
        raise ClaimFailed(f"{folder} is there already. Move it away to claim anew. The code has not been used.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))  # only its owner may look in
    except OSError as error:
        raise ClaimFailed(f"{folder.parent} can't be written ({error}). The code has not been used.") from error
    try:
        yield making
        making.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        raise ClaimFailed(
            f"{folder} can't be written ({error}). Make room for it, and claim again within an hour: "
            "until then the code is good for this device."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# ------------------------------------------------------------------ over MQTT


class MqttRegistrar:
    """``Registrar`` over AWS IoT's fleet provisioning; within ``with`` it is connected, else ClaimFailed is raised."""

    def __init__(self, settings: ClaimSettings) -> None:
        self._settings = settings
        self._settled = threading.Event()
        self._stopped = threading.Event()
        self._failure: object = "no answer"
        self._client: mqtt5.Client | None = None
        self._identity: Any = None

    def __enter__(self) -> Self:
        try:
            self._client = self._new_client()
        except (OSError, RuntimeError) as error:
            raise self._not_connected(error) from error
        self._client.start()
        self._settled.wait(_CONNECT_S)
        if self._failure is not None:
            self._close()
            raise self._not_connected(self._failure)
        self._identity = self._new_identity_client(self._client)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def make_keys(self) -> Keys:
        """Make a key and a certificate."""
        from awsiot import iotidentity  # noqa: PLC0415

        told = self._answer(self._identity.create_keys_and_certificate(iotidentity.CreateKeysAndCertificateRequest()))
        return Keys(told.certificate_pem, told.private_key, told.certificate_ownership_token)

    def register(self, token: str, serial: str, code: str) -> str:
        """Make the certificate a bridge's."""
        from awsiot import iotidentity  # noqa: PLC0415

        request = iotidentity.RegisterThingRequest(
            template_name=self._settings.topics.template,
            certificate_ownership_token=token,
            parameters={"SerialNumber": serial, "Code": code},
        )
        return str(self._answer(self._identity.register_thing(request)).thing_name)

    def _answer(self, asked: "Future[Any]") -> Any:
        from awsiot import V2ServiceException  # noqa: PLC0415

        try:
            return asked.result(_ANSWER_S)
        except V2ServiceException as error:
            if error.modeled_error is None:
                raise _failed(error.inner_error or error) from error
            said = f"{error.modeled_error.error_code}: {error.modeled_error.error_message}"
            if error.modeled_error.error_code != _REFUSED:
                raise _failed(said) from error
            raise ClaimRefused(
                f"The cloud does not take this code ({said}). Check that it is typed as it is written; each code is "
                "good for one bridge and for seven days. Ask who administers the site for a new one. After ten tries "
                "wait for an hour."
            ) from error
        except NotInTime as error:
            raise _failed("no answer in time") from error

    def _not_connected(self, why: object) -> ClaimFailed:
        s = self._settings
        return ClaimFailed(
            f"There is no connection to {s.endpoint}:{s.port} ({why}). Check the network, the endpoint, and the claim "
            f"certificate {s.certificate} with its key. The code has not been used."
        )

    def _close(self) -> None:
        from awscrt import mqtt5  # noqa: PLC0415

        self._identity = None
        if self._client is not None:
            self._client.stop(mqtt5.DisconnectPacket())
            self._stopped.wait(5.0)
            self._client = None

    def _settle(self, failure: object) -> None:
        """Note how the first attempt to connect went."""
        if not self._settled.is_set():
            self._failure = failure
            self._settled.set()

    def _new_identity_client(self, client: "mqtt5.Client") -> Any:
        from awscrt import mqtt_request_response  # noqa: PLC0415
        from awsiot import iotidentity  # noqa: PLC0415

        options = mqtt_request_response.ClientOptions(
            max_request_response_subscriptions=2,
            max_streaming_subscriptions=0,
            operation_timeout_in_seconds=int(_ANSWER_S) - 5,
        )
        return iotidentity.IotIdentityClientV2(client, options)

    def _new_client(self) -> "mqtt5.Client":
        from awscrt import mqtt5  # noqa: PLC0415
        from awsiot import mqtt5_client_builder  # noqa: PLC0415

        s = self._settings
        return mqtt5_client_builder.mtls_from_path(
            str(s.certificate),
            str(s.private_key),
            endpoint=s.endpoint,
            port=s.port,
            ca_filepath=None if s.ca is None else str(s.ca),
            client_id=s.topics.claimants + secrets.token_hex(8),  # others may claim at the same time
            session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN,
            on_lifecycle_connection_success=lambda _: self._settle(None),
            on_lifecycle_connection_failure=lambda told: self._settle(told.exception),
            on_lifecycle_stopped=lambda _: self._stopped.set(),
        )


def _failed(why: object) -> ClaimFailed:
    return ClaimFailed(f"The cloud could not register this device ({why}). Claim again with the same code.")
