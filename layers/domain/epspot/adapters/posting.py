"""Messages to other systems on the internet, never to anything in a network of our own: urllib3."""

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Event, Thread, Timer
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, urlsplit

import certifi
import urllib3

from epspot.errors import InvalidRequest, Unanswered
from epspot.ports import Posted

_MOST_URL = 2000
_MOST_ANSWER = 1024
_HTTPS, _FIRST_FREE_PORT = 443, 1024
_LOOPBACK = "127.0.0.1"
_UNICAST = IPv6Network("2000::/3")
_CARRY_IPV4 = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))
"""Teredo and 6to4: there is an IPv4 address inside, which may be any."""

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a URL leads: as which host it is spoken to, at which address, and what is asked of it."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def authority(self) -> str:
        """Name host and port as the header Host does."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _HTTPS if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


class UrllibPosting:
    """``Posting`` over HTTPS to public addresses, on port 443 or 1024 and above.

    A name is looked up once, every address of it is judged, and the connection goes to the very address that was
    judged. ``allow_loopback`` also lets messages go to this machine, without TLS as well: for an emulated account.
    """

    def __init__(
        self, *, allow_loopback: bool = False, trusted: str | None = None, resolve: Resolve | None = None
    ) -> None:
        self._allow_loopback = allow_loopback
        self._trusted = trusted or certifi.where()
        self._resolve = resolve or _resolved

    def check(self, url: str) -> None:
        """Refuse an address by its looks; where its name leads is seen each time that something is sent there."""
        if problem := self._problem(url):
            raise InvalidRequest(f"The url {problem}.")

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Posted:
        """Send once: looking up, connecting, sending and reading share the time."""
        ends_at = monotonic() + timeout_s
        target = self._target(url, timeout_s)
        left_s = ends_at - monotonic()
        if left_s <= 0:
            raise Unanswered("timeout")
        return _post(self._pool(target, left_s), target, body, headers, left_s)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Read the certificates that are trusted, when they are first needed: that takes a while."""
        return ssl.create_default_context(cafile=self._trusted)

    # ------------------------------------------------------------ where to

    def _problem(self, url: str) -> str:
        """Say what is wrong with a URL, to go on after "The url"; nothing: nothing."""
        if len(url) > _MOST_URL or not url.isascii() or not url.isprintable() or set(url) & {" ", "\\"}:
            return f"must be at most {_MOST_URL} ASCII characters without spaces; write others in percent form"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", _port(parts)
        except ValueError:
            return "is no address"
        if parts.scheme == "http" and self._allow_loopback and host == _LOOPBACK:
            return ""
        literal = _literal(host)
        wrong = {
            "must begin with https:// and a host": parts.scheme != "https" or not host,
            "must have neither a user nor a fragment": "@" in parts.netloc or bool(parts.fragment),
            f"must have port {_HTTPS}, or one from {_FIRST_FREE_PORT} on": port != _HTTPS and port < _FIRST_FREE_PORT,
            "must lead to a public address of the internet": literal is not None and not self._is_allowed(literal),
        }
        return next((problem for problem, is_so in wrong.items() if is_so), "")

    def _target(self, url: str, timeout_s: float) -> _Target:
        if self._problem(url):
            raise Unanswered("address")
        parts = urlsplit(url)
        host, port = parts.hostname or "", _port(parts)
        literal = _literal(host)
        found = [str(literal)] if literal is not None else self._look_up(host, port, timeout_s)
        # One bad address among good ones is somebody's trick, or a mistake that would work now and then.
        if not found or not all(self._is_allowed(ip_address(a)) for a in found):
            raise Unanswered("address" if found else "unreachable")
        address = min(found, key=lambda a: ":" in a)  # not every network of ours has IPv6
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return _Target(parts.scheme, host, port, address, path)

    def _look_up(self, host: str, port: int, timeout_s: float) -> Sequence[str]:
        """Look a name up, within a time: the system's own look-up knows none."""
        found: list[str] = []
        done = Event()

        def look_up() -> None:
            with suppress(OSError, UnicodeError):
                found.extend(self._resolve(host, port))
            done.set()

        Thread(target=look_up, name="look-up", daemon=True).start()
        if not done.wait(timeout_s):
            raise Unanswered("timeout")
        return found

    def _is_allowed(self, address: Address) -> bool:
        if self._allow_loopback and str(address) == _LOOPBACK:
            return True
        if isinstance(address, IPv6Address) and (
            address not in _UNICAST or any(address in carrier for carrier in _CARRY_IPV4)
        ):
            return False
        return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)

    def _pool(self, target: _Target, timeout_s: float) -> urllib3.HTTPConnectionPool:
        common: dict[str, Any] = {
            "host": target.address,
            "port": target.port,
            "timeout": urllib3.Timeout(total=timeout_s),
            "maxsize": 1,
            "retries": False,
        }
        if target.scheme == "http":
            return urllib3.HTTPConnectionPool(**common)
        return urllib3.HTTPSConnectionPool(
            **common, ssl_context=self._tls, server_hostname=target.host, assert_hostname=target.host
        )


def _post(
    pool: urllib3.HTTPConnectionPool, target: _Target, body: bytes, headers: Mapping[str, str], timeout_s: float
) -> Posted:
    watch = _Watch(pool, timeout_s)
    try:
        with watch:
            answer = pool.urlopen(
                "POST",
                target.path,
                body=body,
                headers={**headers, "Host": target.authority, "Connection": "close", "Accept-Encoding": "identity"},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
            begun = answer.read(_MOST_ANSWER)
            answer.close()
    except urllib3.exceptions.HTTPError as error:
        raise Unanswered("timeout" if watch.is_over else _why(error)) from error
    except OSError as error:
        raise Unanswered("timeout" if watch.is_over else "broken") from error
    finally:
        pool.close()
    if watch.is_over:
        # What was cut off looks like an answer without a body.
        raise Unanswered("timeout")
    return Posted(int(answer.status), begun)


def _why(error: urllib3.exceptions.HTTPError) -> str:
    if isinstance(error, urllib3.exceptions.SSLError):
        return "tls"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "unreachable"
    return "timeout" if isinstance(error, urllib3.exceptions.TimeoutError) else "broken"


class _Watch:
    """Hangs up when the time is over: a receiver that sends a byte now and then never meets a socket's time-out."""

    def __init__(self, pool: urllib3.HTTPConnectionPool, timeout_s: float) -> None:
        self.is_over = False
        self._sockets: list[socket.socket] = []
        self._timer = Timer(timeout_s, self._hang_up)
        self._timer.daemon = True
        sockets = self._sockets

        class Watched(pool.ConnectionCls):  # type: ignore[name-defined,misc]  # the pool's own kind
            def _new_conn(self) -> socket.socket:
                made: socket.socket = super()._new_conn()
                # A second handle, since TLS takes the first one over, and its handshake may dawdle too.
                sockets.append(made.dup())
                return made

        pool.ConnectionCls = Watched

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        for handle in self._sockets:
            handle.close()

    def _hang_up(self) -> None:
        self.is_over = True
        for handle in self._sockets:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


def _port(parts: SplitResult) -> int:
    return parts.port or (_HTTPS if parts.scheme == "https" else 80)


def _literal(host: str) -> Address | None:
    """Read an address that stands for itself, in every way in which a system would take one, such as 0x7f.1."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _resolved(host: str, port: int) -> Sequence[str]:
    # A scope, as in fe80::1%eth0, is no part of an address that is public.
    return [str(told[4][0]) for told in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
