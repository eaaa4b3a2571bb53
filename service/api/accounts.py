"""The views about users and sessions."""

from __future__ import annotations

from service.api.routes import ApiCall, Routes
from service.chat import accounts
from service.chat.models import NewSession, NewUser, Session, User

routes = Routes("accounts")


@routes.post("/users", status=201, needs_token=False, limit="login", errors=(409,))
def sign_up(call: ApiCall, body: NewUser) -> User:
    """Sign up."""
    return accounts.sign_up(call.chat, body)


@routes.post("/sessions", status=201, needs_token=False, limit="login", errors=(401,))
def log_in(call: ApiCall, body: NewSession) -> Session:
    """Log in: a bearer token for all the rest."""
    return accounts.log_in(call.chat, body)


@routes.delete("/sessions/current", status=204)
def log_out(call: ApiCall) -> None:
    """Log out: the token is worthless at once."""
    accounts.log_out(call.chat, call.token)


@routes.get("/users/me")
def me(call: ApiCall) -> User:
    """Whose token this is."""
    return call.user
