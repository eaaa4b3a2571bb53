"""The JSON that the API takes and returns, as types.

Requests refuse unknown fields. Every limit is part of a type, so it is checked while the request is
decoded, and stands in the OpenAPI document.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

# Integers beyond this do not survive JavaScript's JSON.parse.
Id = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Limit = Annotated[int, Meta(ge=1, le=100)]

# Without the lookahead, Python's `$` would also match before a line break that ends the text.
_END = r"(?!\n)$"

# PostgreSQL's text cannot hold NUL.
_TEXT = r"^[^\x00]*$"
# One line, with at least one character that is not white space.
_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*" + _END

UserName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        # Not `.` or `-` at the end: in "thanks, @ada." the full stop is the sentence's.
        pattern=r"^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?" + _END,
        description="Letters, digits and `_`, with `.` and `-` between them; capitals do not "
        "count. What `@name` says.",
    ),
]
DisplayName = Annotated[str, Meta(min_length=1, max_length=80, pattern=_LINE)]
Password = Annotated[str, Meta(min_length=8, max_length=256)]
RoomName = Annotated[str, Meta(min_length=1, max_length=80, pattern=_LINE)]
Topic = Annotated[str, Meta(max_length=500, pattern=_TEXT)]
Body = Annotated[str, Meta(min_length=1, max_length=8000, pattern=_TEXT)]
ClientId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[!-~]+" + _END,
        description="Chosen by the sender, a UUID say. The same one again is the same message.",
    ),
]
Emoji = Annotated[
    str, Meta(min_length=1, max_length=32, pattern=r"^[^\x00-\x20/\\%?#\x7f]+" + _END)
]
Query = Annotated[str, Meta(min_length=1, max_length=200, pattern=_TEXT)]

Visibility = Literal["public", "private"]
Role = Literal["owner", "member"]


class RequestModel(Struct, forbid_unknown_fields=True):
    """What a caller sends; a field that is not known is refused."""


class NewUser(RequestModel):
    """Sign up."""

    name: UserName
    password: Password
    display_name: DisplayName


class NewSession(RequestModel):
    """Log in."""

    name: UserName
    password: Password


class NewRoom(RequestModel):
    """Make a room; whoever makes it owns it."""

    name: RoomName
    topic: Topic = ""
    visibility: Visibility = "public"


class RoomChange(RequestModel):
    """Change what is given, leave the rest."""

    name: RoomName | None = None
    topic: Topic | None = None
    visibility: Visibility | None = None


class NewMember(RequestModel):
    """The role to have in the room; left out, a new member is a member and others keep theirs."""

    role: Role | None = None


class NewMessage(RequestModel):
    """Send a message. Sending it again with the same ``client_id`` is safe."""

    client_id: ClientId
    body: Body
    reply_to: Id | None = None


class MessageChange(RequestModel):
    """Another text for a message of one's own."""

    body: Body


class ReadMark(RequestModel):
    """How far one has read; a mark behind the one that is there changes nothing."""

    seq: Seq


class RoomScope(RequestModel):
    """Which rooms to list, and behind which one to go on."""

    scope: Literal["joined", "public"] = "joined"
    after: Seq = 0
    limit: Limit = 50


class Page(RequestModel):
    """Which part of a room's messages: at most one of the three, or none for the latest."""

    before: Id | None = None
    after: Seq | None = None
    around: Id | None = None
    limit: Limit = 50


class MemberPage(RequestModel):
    """Which part of the members, by user id."""

    after: Seq = 0
    limit: Limit = 100


class Search(RequestModel):
    """Words to look for, in one room or in all that one may read."""

    q: Query
    room_id: Id | None = None
    limit: Limit = 20


class User(Struct, frozen=True):
    """Somebody with an account."""

    id: Id
    name: str
    display_name: str


class Session(Struct, frozen=True):
    """A bearer token, shown this once, and whose it is."""

    token: str
    user: User
    expires_at: datetime


class Room(Struct, frozen=True):
    """A room as its caller sees it; ``role`` is null for one who is not a member."""

    id: Id
    name: str
    topic: str
    visibility: Visibility
    created_at: datetime
    last_message: Seq
    last_event: Seq
    role: Role | None


class Rooms(Struct, frozen=True):
    """A page of rooms; ``next`` is the ``after`` of the next page, null on the last."""

    rooms: list[Room]
    next: Id | None


class Member(Struct, frozen=True):
    """Somebody in a room."""

    user: User
    role: Role
    joined_at: datetime


class Members(Struct, frozen=True):
    """A page of members; ``next`` is the ``after`` of the next page, null on the last."""

    members: list[Member]
    next: Id | None


class Reaction(Struct, frozen=True):
    """An emoji, and the ids of those who gave it."""

    emoji: str
    user_ids: list[Id]


class Preview(Struct, frozen=True):
    """What the page behind a link says of itself; ``url`` is the link as it stands in the text."""

    url: str
    title: str
    description: str | None
    image_url: str | None
    site_name: str | None


class Message(Struct, frozen=True):
    """A message; one that was deleted keeps its place, with an empty body."""

    room_id: Id
    seq: Id
    author: User
    client_id: str
    body: str
    reply_to: Id | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    reactions: list[Reaction]
    previews: list[Preview]


class Messages(Struct, frozen=True):
    """Messages in their order, and whether there are more on either side."""

    messages: list[Message]
    has_before: bool
    has_after: bool


class Unread(Struct, frozen=True):
    """What one has not read in one room."""

    room_id: Id
    read_seq: Seq
    unread: Seq
    mentions: Seq


class UnreadCounts(Struct, frozen=True):
    """What one has not read, in all and by room."""

    unread: Seq
    mentions: Seq
    rooms: list[Unread]


class Found(Struct, frozen=True):
    """What a search found, the newest first."""

    messages: list[Message]


class Home(Struct, frozen=True):
    """All that a client shows first."""

    user: User
    rooms: list[Room]
    unread: list[Unread]
    mentions: list[Message]
    latest: list[Message]
