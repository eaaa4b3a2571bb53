"""Sign up, log in, log out, and who is calling."""

from __future__ import annotations

import hashlib
import secrets

from service.chat.context import ChatContext
from service.chat.fanout.notices import SessionRevoked
from service.chat.models import NewSession, NewUser, Session, User
from service.chat.store import users
from service.errors import Conflict, Unauthenticated


def sign_up(chat: ChatContext, new: NewUser) -> User:
    """Make an account. Raises :class:`Conflict` for a name that is taken."""
    password_hash = chat.passwords.hash(new.password)
    with chat.db.connection() as db:
        user = users.insert(db, new.name.lower(), new.display_name.strip(), password_hash)
    if user is None:
        raise Conflict(f"the name {new.name.lower()!r} is taken; choose another one")
    return user


def log_in(chat: ChatContext, new: NewSession) -> Session:
    """A new bearer token. Raises :class:`Unauthenticated` for a wrong name or password."""
    with chat.db.connection() as db:
        found = users.with_password(db, new.name.lower())
    user, stored = found or (None, None)
    # No connection is held while the hash is computed: a login storm must not drain the pool.
    if not chat.passwords.matches(new.password, stored) or user is None or stored is None:
        raise Unauthenticated("the name or the password is wrong")
    renewed = chat.passwords.hash(new.password) if chat.passwords.is_outdated(stored) else None
    token = secrets.token_urlsafe(32)
    with chat.db.connection() as db:
        if renewed is not None:
            users.set_password(db, user.id, renewed)
        users.delete_expired_sessions(db, user.id)
        expires_at = users.insert_session(db, digest(token), user.id, chat.session_days)
    return Session(token, user, expires_at)


def authenticate(chat: ChatContext, token: str) -> User:
    """The user of a token. Raises :class:`Unauthenticated` if it is unknown, expired or revoked."""
    with chat.db.connection() as db:
        user = users.by_token(db, digest(token))
    if user is None:
        raise Unauthenticated("the token is unknown, expired or revoked; POST /v1/sessions for one")
    return user


def log_out(chat: ChatContext, token: str) -> None:
    """Revoke a token, at once."""
    session = digest(token)
    with chat.db.connection() as db:
        user_id = users.delete_session(db, session)
    if user_id is not None:
        chat.tell(SessionRevoked(user_id, session))


def digest(token: str) -> bytes:
    """Tokens have 256 random bits, so one plain hash is enough to store them safely."""
    return hashlib.sha256(token.encode()).digest()
