"""Who is calling: people sign up and in, with a password or with a code from a mail."""

from typing import Any

from epspot.services import sign_in as doing
from epspot.services.door import Knock
from epspot.services.sign_up import Newcomer, confirm_sign_up, send_sign_up_again, sign_up
from functions.api.calls import Answer, Call
from functions.api.operations import operation
from functions.api.render import people as render

_TAG = "Signing in"
_OFTEN = (429,)
_BY_CODE = (401, 429)


@operation(
    "POST",
    "/v1/sign-up",
    "Sign up: a code is sent to the address; without a password one signs in by code",
    tag=_TAG,
    guests=True,
    body="SignUpForm",
    status=202,
    answer="CodeSent",
    refusals=_OFTEN,
)
def begin_sign_up(call: Call) -> Any:
    """Sign up; the session is sent with the code, so that only whoever signed up confirms."""
    said = call.body
    newcomer = Newcomer(_knock(call), said.get("password"), said.get("name", ""), said["language"])
    return {"session": sign_up(call.world.door, newcomer)}


@operation(
    "POST",
    "/v1/sign-up/confirm",
    "Confirm a sign-up with the code from the mail",
    tag=_TAG,
    guests=True,
    body="CodeForm",
    status=204,
    refusals=_OFTEN,
)
def finish_sign_up(call: Call) -> Any:
    """Confirm a sign-up."""
    confirm_sign_up(call.world.door, _knock(call), call.body["session"], call.body["code"])
    return Answer(None)


@operation(
    "POST",
    "/v1/sign-up/resend",
    "Have the code of a sign-up sent again",
    tag=_TAG,
    guests=True,
    body="AddressForm",
    status=202,
    refusals=_OFTEN,
)
def resend_sign_up(call: Call) -> Any:
    """Send the code again; the session stays the same."""
    send_sign_up_again(call.world.door, _knock(call))
    return Answer(None)


@operation(
    "POST",
    "/v1/sign-in",
    "Sign in with a password",
    tag=_TAG,
    guests=True,
    body="SignInForm",
    answer="SignedIn",
    refusals=_BY_CODE,
)
def sign_in(call: Call) -> Any:
    """Give tokens; the id token goes in the Authorization header."""
    return render.tokens(doing.sign_in(call.world.door, _knock(call), call.body["password"]))


@operation(
    "POST",
    "/v1/sign-in/code",
    "Have a code sent to sign in with",
    tag=_TAG,
    guests=True,
    body="AddressForm",
    status=202,
    answer="CodeSent",
    refusals=(429, 503),
)
def send_sign_in_code(call: Call) -> Any:
    """Send a code."""
    return {"session": doing.send_code(call.world.door, _knock(call))}


@operation(
    "POST",
    "/v1/sign-in/code/confirm",
    "Sign in with the code from the mail",
    tag=_TAG,
    guests=True,
    body="CodeForm",
    answer="SignedIn",
    refusals=_BY_CODE,
)
def sign_in_by_code(call: Call) -> Any:
    """Give tokens for the code; three tries."""
    said = call.body
    return render.tokens(doing.try_code(call.world.door, _knock(call), said["session"], said["code"]))


@operation(
    "POST",
    "/v1/sign-in/refresh",
    "Have new tokens without signing in again",
    tag=_TAG,
    guests=True,
    body="RefreshForm",
    answer="SignedIn",
    refusals=_BY_CODE,
)
def refresh_tokens(call: Call) -> Any:
    """Give new tokens."""
    return render.tokens(doing.refresh(call.world.door, call.body["refresh_token"], call.source))


@operation(
    "POST",
    "/v1/sign-out",
    "Sign out: the refresh token gives no more tokens",
    tag=_TAG,
    guests=True,
    body="RefreshForm",
    status=204,
    refusals=_OFTEN,
)
def sign_out(call: Call) -> Any:
    """Sign out; an id token lasts its hour."""
    doing.sign_out(call.world.door, call.body["refresh_token"], call.source)
    return Answer(None)


@operation(
    "POST",
    "/v1/password/forgot",
    "Have a code sent to choose a new password with",
    tag=_TAG,
    guests=True,
    body="AddressForm",
    status=202,
    refusals=_OFTEN,
)
def forget_password(call: Call) -> Any:
    """Send a code."""
    doing.forget_password(call.world.door, _knock(call))
    return Answer(None)


@operation(
    "POST",
    "/v1/password/reset",
    "Choose a new password with the code from the mail",
    tag=_TAG,
    guests=True,
    body="PasswordForm",
    status=204,
    refusals=_OFTEN,
)
def reset_password(call: Call) -> Any:
    """Set a password."""
    doing.reset_password(call.world.door, _knock(call), call.body["code"], call.body["password"])
    return Answer(None)


def _knock(call: Call) -> Knock:
    return Knock(call.body["email"].lower(), call.source)
