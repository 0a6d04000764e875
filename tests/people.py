"""The user pool and the post, kept in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from epspot.errors import InvalidRequest, MailUnavailable, NotSignedIn, WrongCode
from epspot.ports import Account, Person, Tokens

CODE = "123456"
"""The code in every mail."""
TRIES = 3


@dataclass
class FakeUser:
    """What the pool keeps of somebody."""

    account: Account
    password: str
    confirmed: bool = False
    codes: set[str] = field(default_factory=set)
    """What codes are under way: ``sign_up``, ``password``."""


@dataclass
class FakeIdentity:
    """``Identity`` in memory, with the pool's conditions; ``anna@example.com`` is there, with the password ``right``."""

    users: dict[str, FakeUser] = field(
        default_factory=lambda: {
            "anna@example.com": FakeUser(Account("anna", "anna@example.com", "Anna", "sv"), "right", confirmed=True)
        }
    )
    attempts: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Sign-ins by code that are under way: whose, and how many wrong tries."""
    sent: list[tuple[str, str]] = field(default_factory=list)
    """The mails with codes: what for, and to whom."""
    signed_out: set[str] = field(default_factory=set)
    _made: int = 0

    def verify(self, id_token: str) -> Person:
        """Vouch for whoever says ``<user>``, ``<user> <address>`` or ``<user> <address> <provider> <client>``."""
        user, email, provider, client = (*id_token.split(" "), "", "", "")[:4]
        if not user or user == "nobody":
            raise NotSignedIn("This token is not ours, or is over: sign in again.")
        return Person(user, email or None, provider, client)

    def sign_in(self, email: str, password: str) -> Tokens:
        user = self.users.get(email)
        if user is None or not user.confirmed or user.password != password:
            raise NotSignedIn("The e-mail address or the password is wrong.")
        return self._tokens(user)

    def _tokens(self, user: FakeUser) -> Tokens:
        return Tokens(user.account.user, f"refresh {user.account.email}", 3600)

    def sign_up(self, email: str, password: str, name: str, language: str) -> str | None:
        known = self.users.get(email)
        if known is not None and known.confirmed:
            return None
        self._made += 1
        account = Account(f"user{self._made}", email, name, language)
        self.users[email] = FakeUser(account, password, codes={"sign_up"})
        self.sent.append(("sign_up", email))
        return account.user

    def confirm(self, email: str, code: str) -> None:
        self._use(email, "sign_up", code).confirmed = True

    def _use(self, email: str, what: str, code: str) -> FakeUser:
        user = self.users.get(email)
        if user is None or what not in user.codes or code != CODE:
            raise WrongCode("The code is wrong.")
        user.codes.remove(what)
        return user

    def send_again(self, email: str) -> None:
        if email in self.users and not self.users[email].confirmed:
            self.sent.append(("sign_up", email))

    def send_code(self, email: str) -> str | None:
        user = self.users.get(email)
        if user is None or not user.confirmed:
            return None
        self._made += 1
        self.sent.append(("sign_in", email))
        self.attempts[f"attempt{self._made}"] = (email, 0)
        return f"attempt{self._made}"

    def try_code(self, email: str, attempt: str, code: str) -> Tokens | str:
        whose, wrong = self.attempts.pop(attempt, ("", TRIES))
        if whose != email:
            raise NotSignedIn("No more.")
        if code == CODE:
            return self._tokens(self.users[email])
        if wrong + 1 == TRIES:
            raise NotSignedIn("No more.")
        self._made += 1
        self.attempts[f"attempt{self._made}"] = (email, wrong + 1)
        return f"attempt{self._made}"

    def refresh(self, refresh_token: str) -> Tokens:
        user = self.users.get(refresh_token.removeprefix("refresh "))
        if user is None or refresh_token in self.signed_out:
            raise NotSignedIn("Sign in again.")
        return Tokens(user.account.user, None, 3600)

    def sign_out(self, refresh_token: str) -> None:
        self.signed_out.add(refresh_token)

    def forgot_password(self, email: str) -> None:
        if email in self.users and self.users[email].confirmed:
            self.users[email].codes.add("password")
            self.sent.append(("password", email))

    def reset_password(self, email: str, code: str, password: str) -> None:
        self._use(email, "password", code).password = password

    def account(self, user: str) -> Account | None:
        return next((u.account for u in self.users.values() if u.account.user == user), None)

    def set_language(self, user: str, language: str) -> None:
        for known in self.users.values():
            if known.account.user == user:
                known.account = Account(user, known.account.email, known.account.name, language)

    def remove(self, user: str) -> None:
        self.users = {email: u for email, u in self.users.items() if u.account.user != user}


@dataclass
class FakeProviders:
    """``Providers`` in memory, which does not understand an issuer that is ``https://wrong``."""

    connected: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def connect(self, name: str, kind: str, details: Mapping[str, str], client: str) -> str:
        if details.get("issuer") == "https://wrong":
            raise InvalidRequest("The provider can't be used.")
        self.connected[name] = kind, details
        return client or f"client-{name}"

    def disconnect(self, name: str, client: str) -> None:
        assert client == f"client-{name}"
        self.connected.pop(name, None)

    def address(self, name: str, client: str) -> str:
        return f"https://pool.example/{name}/{client}"


@dataclass
class FakeMail:
    """``Mail`` in memory; ``closed``: there is no sender; ``broken``: it fails."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    closed: bool = False
    broken: bool = False

    def check(self) -> None:
        if self.closed:
            raise MailUnavailable("No mail is sent here yet.")

    def send(self, to: str, subject: str, body: str) -> None:
        self.check()
        if self.broken:
            raise MailUnavailable("The mail could not be sent.")
        self.sent.append((to, subject, body))
