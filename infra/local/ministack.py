"""Start and stop one emulated AWS account (MiniStack), leaving nothing behind."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import psutil
from botocore.config import Config

REGION = "eu-north-1"
HOST = "127.0.0.1"
START_S = 30.0
STOP_S = 15.0

_INHERITED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH")
"""All that the account sees of this shell: neither a real AWS profile nor a PYTHONPATH may leak into it."""


class AccountError(RuntimeError):
    """The emulated account did not start."""


class Account:
    """One emulated account in a process session of its own, with ports and a folder that nobody else uses.

    ``auth`` makes it evaluate IAM roles and IoT policies as AWS does. ``log`` keeps its output when it stops.
    """

    def __init__(self, *, auth: bool = True, concurrency: int = 8, log: Path | None = None) -> None:
        self._auth = auth
        self._concurrency = concurrency
        self._folder = Path()
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.mqtt_host = "localhost"
        """The name in the MQTT listener's certificate."""
        self.mqtt_port = 0
        self.ca = Path()
        """The certificate that devices trust."""

    @property
    def told(self) -> dict[str, Any]:
        """Tell another process how to reach it."""
        return {"port": self.port, "mqtt_port": self.mqtt_port, "ca": str(self.ca)}

    @classmethod
    def at(cls, told: Mapping[str, Any]) -> Self:
        """Reach an account that another process has started, and will stop."""
        found = cls()
        found.port, found.mqtt_port, found.ca = told["port"], told["mqtt_port"], Path(told["ca"])
        return found

    @property
    def endpoint(self) -> str:
        """Address every AWS service of the account."""
        return f"http://{HOST}:{self.port}"

    def session(self) -> boto3.Session:
        """Sign in as the account's root; each client still needs ``endpoint_url``."""
        return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106 - the emulator's own root

    def client(self, service: str) -> Any:
        """Make a client of one service, signed in as the account's root."""
        # A first call may wait for several cold starts; retrying it would only add to them.
        config = Config(read_timeout=120, retries={"total_max_attempts": 1})
        return self.session().client(service, endpoint_url=self.endpoint, config=config)

    def start(self) -> None:
        """Start the account and wait until HTTP and MQTT answer.

        Raises AccountError with the end of its log if they don't.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="epspot-account-"))
        self.port, self.mqtt_port = _free_ports(2)
        log = self._log or self._folder / "ministack.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "ministack"],
                    cwd=self._folder,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._wait_until_ready(log)
            self.ca = self._folder / "ca.pem"
            self.ca.write_bytes(self._get("/_ministack/iot/ca.pem"))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the account, its functions' processes and its folder; harmless when it has not started."""
        if self._process is not None:
            _end_session(self._process)
            self._process = None
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _environment(self) -> Mapping[str, str]:
        temporary = self._folder / "tmp"
        temporary.mkdir()
        return {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
            "AUTH": str(self._auth).lower(),
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_PORT": str(self.mqtt_port),
            "LAMBDA_ACCOUNT_CONCURRENCY": str(self._concurrency),
            "LAMBDA_EXECUTOR": "local",
            "MINISTACK_REGION": REGION,
            "SFTP_ENABLED": "0",
            "TMPDIR": str(temporary),
        }

    def _wait_until_ready(self, log: Path) -> None:
        deadline = time.monotonic() + START_S
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            try:
                self._get("/_ministack/ready")
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                return
        raise AccountError(f"the emulated account did not start:\n{log.read_text(errors='replace')[-2000:]}")

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise http.client.HTTPException(f"{path}: {response.status}")
        return body


def _free_ports(count: int) -> list[int]:
    """Pick ports that are free now; all are held until all are picked, so they differ."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """End a session leader as gently as it lets us, then whatever still is in its session."""
    for ask in (signal.SIGINT, signal.SIGKILL):
        process.send_signal(ask)
        try:
            process.wait(STOP_S)
            break
        except subprocess.TimeoutExpired:
            continue
    for ask in (signal.SIGTERM, signal.SIGKILL):
        members = _members(process.pid)
        for member in members:
            try:
                member.send_signal(ask)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(members, timeout=1)


def _members(session: int) -> list[psutil.Process]:
    """List the processes of a session: Lambda workers stay in the one of the account that started them."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                found.append(process)
        except (ProcessLookupError, PermissionError):
            continue
    return found
