"""Messages to other systems: what is sent, how long is waited, and where nothing is ever sent."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from epspot.adapters.posting import UrllibPosting
from epspot.errors import InvalidRequest, Unanswered
from epspot.ports import Posted
from tests.loopback import Answer, Served, served

HOST = "hooks.example"
SAID = {"webhook-id": "m1", "Content-Type": "application/json"}


@pytest.fixture
def receiver() -> Iterator[Served]:
    """Run a receiver that takes everything."""
    with served(lambda _: Answer(b"thanks", 202)) as server:
        yield server


@pytest.fixture
def local() -> UrllibPosting:
    """Make the adapter as an emulated account has it."""
    return UrllibPosting(allow_loopback=True)


def problem(posting: UrllibPosting, url: str, timeout_s: float = 5.0) -> str:
    """Send what must not arrive; return the word that says why."""
    with pytest.raises(Unanswered) as told:
        posting.post(url, b"{}", SAID, timeout_s)
    return str(told.value)


# ------------------------------------------------------------------ what is sent


def test_a_message_arrives_as_it_is(local: UrllibPosting, receiver: Served) -> None:
    """Body, headers, path and query come as they were given, and the answer's status and body go back."""
    body = '{"å":1}'.encode()
    assert local.post(f"{receiver.url}/a/b?c=d", body, SAID, 5.0) == Posted(202, b"thanks")
    (asked,) = receiver.asked
    assert (asked.path, dict(asked.query), asked.body) == ("/a/b", {"c": "d"}, body)
    assert (asked.headers["webhook-id"], asked.headers["Content-Type"]) == ("m1", "application/json")
    assert asked.headers["Host"] == receiver.url.removeprefix("http://")


def test_no_redirect_is_followed(local: UrllibPosting, receiver: Served) -> None:
    """A redirect is an answer like any other: the place that it names is not asked."""
    receiver.answer = lambda _: Answer(status=307, headers={"Location": f"{receiver.url}/elsewhere"})
    assert local.post(f"{receiver.url}/here", b"{}", SAID, 5.0).status == 307
    assert [asked.path for asked in receiver.asked] == ["/here"]


def test_of_a_long_answer_only_the_beginning_is_read(local: UrllibPosting, receiver: Served) -> None:
    """No receiver fills our memory."""
    receiver.answer = lambda _: Answer(b"x" * 5_000_000)
    assert local.post(receiver.url, b"{}", SAID, 5.0) == Posted(200, b"x" * 1024)


# ------------------------------------------------------------------ how long is waited


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server of bytes that takes one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)
        assert not thread.is_alive()


def test_a_receiver_that_says_nothing_is_not_waited_for(local: UrllibPosting) -> None:
    """When the time is over we hang up."""

    def say_nothing(connection: socket.socket) -> None:
        while connection.recv(65_536):
            pass

    with listening(say_nothing) as url:
        begun = time.monotonic()
        assert problem(local, url, 0.3) == "timeout"
        assert time.monotonic() - begun < 3


def test_a_receiver_that_dawdles_is_not_waited_for(local: UrllibPosting) -> None:
    """A byte now and then does not buy more time."""

    def dawdle(connection: socket.socket) -> None:
        try:
            for n in range(1000):
                connection.sendall(f"X-{n}: 1\r\n".encode() if n else b"HTTP/1.1 200 OK\r\n")
                time.sleep(0.05)
        except OSError:
            pass

    with listening(dawdle) as url:
        begun = time.monotonic()
        assert problem(local, url, 0.4) == "timeout"
        assert time.monotonic() - begun < 4


def test_a_handshake_that_dawdles_is_not_waited_for() -> None:
    """The time holds before the first byte of an answer as well."""

    def dawdle(connection: socket.socket) -> None:
        try:
            connection.sendall(bytes([22, 3, 3, 0x3F, 0xFF, 2, 0, 0x3F, 0xFB, 3, 3]))
            for _ in range(1000):
                connection.sendall(b"\0")
                time.sleep(0.05)
        except OSError:
            pass

    with listening(dawdle) as url:
        begun = time.monotonic()
        posting = UrllibPosting(allow_loopback=True, resolve=here)
        assert problem(posting, url.replace("http://127.0.0.1", f"https://{HOST}"), 0.4) == "timeout"
        assert time.monotonic() - begun < 4


def test_a_slow_look_up_is_not_waited_for() -> None:
    """The time begins with looking the name up."""
    over = threading.Event()

    def slowly(_host: str, _port: int) -> Sequence[str]:
        over.wait(10)
        return ["93.184.215.14"]

    begun = time.monotonic()
    assert problem(UrllibPosting(resolve=slowly), f"https://{HOST}/", 0.2) == "timeout"
    over.set()
    assert time.monotonic() - begun < 3


def test_what_is_no_answer_is_told_apart(local: UrllibPosting) -> None:
    """A port where nobody listens, and an answer that is no HTTP, each have their word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert problem(local, f"http://127.0.0.1:{port}/") == "unreachable"
    with listening(lambda c: c.sendall(b"SSH-2.0-x\r\n\r\n")) as url:
        assert problem(local, url) == "broken"


# ------------------------------------------------------------------ where nothing is sent

PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    """An address that is not public is refused when it is written, and when a name leads to it."""
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(InvalidRequest):
        UrllibPosting().check(f"https://{host}/")
    posting = UrllibPosting(resolve=lambda _, __: [address])
    posting.check(f"https://{HOST}/")
    assert problem(posting, f"https://{HOST}/") == "address"


def test_one_private_address_among_public_ones_is_enough() -> None:
    """A name that leads to both is refused, whichever comes first."""
    for found in (["93.184.215.14", "10.0.0.1"], ["10.0.0.1", "93.184.215.14"]):
        assert problem(UrllibPosting(resolve=lambda _, __, f=found: f), f"https://{HOST}/") == "address"  # type: ignore[misc]


@pytest.mark.parametrize("url", ["https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/", "https://127.1/"])
def test_other_ways_to_write_an_address_are_known(url: str) -> None:
    """An address is judged as the system would read it."""
    with pytest.raises(InvalidRequest):
        UrllibPosting().check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "https://",
        "https:///x",
        "hooks.example",
        "https://user:pw@hooks.example/",
        "https://@hooks.example/",
        "https://hooks.example:22/",
        "https://hooks.example:0x50/",
        "https://hooks.example:99999/",
        "https://hooks.example/#x",
        "https://hooks.example/a b",
        "https://hooks.example\\@evil.example/",
        "https://hooks.example/\r\nX: y",
        "https://häst.example/",
        "https://hooks.example/" + "x" * 2000,
        "https://[::1",
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/",
    ],
)
def test_urls_of_other_forms_are_refused(url: str) -> None:
    """Only https to a host, on 443 or a free port, without a user or anything that two readers read differently."""
    with pytest.raises(InvalidRequest, match="The url"):
        UrllibPosting().check(url)
    assert problem(UrllibPosting(), url) == "address"


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example", "https://hooks.example:8443/a?b=c", "https://93.184.215.14/", "https://[2606:2800::1]/"],
)
def test_public_urls_are_taken(url: str) -> None:
    """What is of the right form is taken."""
    UrllibPosting().check(url)


@pytest.mark.parametrize("url", ["http://127.0.0.2/", "http://localhost/", "http://10.0.0.1/", "http://hooks.example/"])
def test_an_emulated_account_reaches_itself_and_nothing_more(local: UrllibPosting, url: str) -> None:
    """Without TLS only the one address of this machine is reached, and only where it is allowed."""
    local.check("http://127.0.0.1:8000/x")
    with pytest.raises(InvalidRequest):
        local.check(url)


def test_this_machine_has_a_name_too() -> None:
    """The system's own look-up leads here, and is not followed."""
    UrllibPosting().check("https://localhost/")
    assert problem(UrllibPosting(), "https://localhost/") == "address"


def test_an_unknown_name_is_unreachable() -> None:
    """A name that leads nowhere is told so."""

    def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror

    assert problem(UrllibPosting(resolve=nowhere), f"https://{HOST}/") == "unreachable"


# ------------------------------------------------------------------ TLS


@contextmanager
def secure(folder: Path, host: str) -> Iterator[tuple[str, Path]]:
    """Run a server with a certificate for a host; give its port in a URL of ``HOST``, and the authority's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    trusted = folder / "trusted.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            told = self.headers["Host"].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://{HOST}:{server.server_port}/", trusted
        finally:
            server.shutdown()
            thread.join()


def here(_host: str, _port: int) -> Sequence[str]:
    """Lead every name to this machine."""
    return ["127.0.0.1"]


def test_the_host_is_known_by_its_name_at_the_address_that_was_judged(tmp_path: Path) -> None:
    """The name is looked up once; certificate and header Host are the name's, the connection is the address's."""
    looked_up: list[str] = []

    def once(host: str, _port: int) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["10.0.0.1"]

    with secure(tmp_path, HOST) as (url, trusted):
        posting = UrllibPosting(allow_loopback=True, trusted=str(trusted), resolve=once)
        assert posting.post(url, b"{}", SAID, 5.0) == Posted(200, url.removeprefix("https://").strip("/").encode())
        assert problem(posting, url) == "address"
    assert looked_up == [HOST, HOST]


def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    """Nothing is told to whoever can't show that they are who was meant."""
    with secure(tmp_path, "evil.example") as (url, trusted):
        assert problem(UrllibPosting(allow_loopback=True, trusted=str(trusted), resolve=here), url) == "tls"


def test_a_certificate_of_nobody_s_is_refused(tmp_path: Path) -> None:
    """Who vouches for a receiver is an authority that browsers trust too."""
    with secure(tmp_path, HOST) as (url, _):
        assert problem(UrllibPosting(allow_loopback=True, resolve=here), url) == "tls"
