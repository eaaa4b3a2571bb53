"""Example data: three users, two rooms and a short conversation."""

from __future__ import annotations

from colorless.postgres import Pool
from service.chat import accounts, messages, rooms
from service.chat.context import ChatContext
from service.chat.models import NewMessage, NewRoom, NewUser, Role, User
from service.chat.passwords import Passwords
from service.errors import Conflict

PASSWORD = "correct horse"  # noqa: S105  (of accounts that are there to be tried)

_CONVERSATION = (
    ("ada", "Did anybody tell @grace that the database call no longer blocks?"),
    ("grace", "I saw it. No await in sight, and four queries at once on the first screen."),
    ("linus", "Show me the query plan, then I am happy."),
)


def seed(url: str) -> list[str]:
    """Insert the example data; returns the users' names. Raises :class:`Conflict` if they exist."""
    pool = Pool(url, max_size=1)
    try:
        chat = ChatContext(pool, Passwords(), session_days=1)
        users = {name: _user(chat, name) for name, _ in _CONVERSATION}
        general = rooms.create(chat, users["ada"], NewRoom(name="general", topic="Everything"))
        rooms.create(chat, users["ada"], NewRoom(name="engine room", visibility="private"))
        for name, user in users.items():
            rooms.put_member(chat, user, general.id, user.id, _role(name))
        for number, (name, text) in enumerate(_CONVERSATION):
            new = NewMessage(client_id=f"seed-{number}", body=text)
            messages.send(chat, users[name], general.id, new)
        return list(users)
    finally:
        pool.close()


def _role(name: str) -> Role:
    return "owner" if name == "ada" else "member"


def _user(chat: ChatContext, name: str) -> User:
    new = NewUser(name=name, password=PASSWORD, display_name=name.capitalize())
    try:
        return accounts.sign_up(chat, new)
    except Conflict:
        raise Conflict("the demonstration users are there already; nothing was changed") from None
