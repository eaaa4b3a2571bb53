"""The WebSocket protocol, byte by byte: what the Autobahn suite tries, kind by kind.

A case is what a raw client sends, the frames that come back, and the code with which it ends: both
the client and the application are told.
"""

import zlib
from typing import Any, NamedTuple

import pytest

from colorless.server.asgi import messages
from tests.colorless.server.frames import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    accepted,
    close,
    frame,
    pieces,
)
from tests.colorless.server.inside import until

DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
GREEN = "κόσμε".encode()
BYE = close(1000)
MAX_SIZE = 70_000  # bytes of a message


class Echo:
    """Sends each message back, and keeps what it is told in the end."""

    def __init__(self) -> None:
        self.told: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})
        self.told = message["code"], message["reason"]


class Case(NamedTuple):
    """What is sent, the frames that come back, and the code of the close frame behind them."""

    sent: bytes
    back: list[tuple[int, bytes]]
    code: int


def echoed(opcode: int, *messages_: bytes) -> Case:
    """Messages that come back as they are."""
    sent = b"".join(frame(opcode, each) for each in messages_)
    return Case(sent + BYE, [(opcode, each) for each in messages_], 1000)


def refused(sent: bytes, code: int = 1002) -> Case:
    """What ends the connection, before anything is echoed."""
    return Case(sent, [], code)


SIZES = (0, 1, 125, 126, 127, 128, 65535, 65536, MAX_SIZE)
FRAMING = {
    **{f"text of {size}": echoed(TEXT, b"*" * size) for size in SIZES},
    **{f"binary of {size}": echoed(BINARY, b"\xfe" * size) for size in SIZES},
    "ping": Case(frame(PING, b"hi") + BYE, [(PONG, b"hi")], 1000),
    "empty ping": Case(frame(PING) + BYE, [(PONG, b"")], 1000),
    "longest ping": Case(frame(PING, b"\xff" * 125) + BYE, [(PONG, b"\xff" * 125)], 1000),
    "ten pings": Case(frame(PING, b"a") * 10 + BYE, [(PONG, b"a")] * 10, 1000),
    "pong unasked": Case(frame(PONG, b"a") + BYE, [], 1000),
    "ping too long": refused(frame(PING, bytes(126))),
    "not masked": refused(frame(TEXT, b"a", masked=False)),
    **{f"reserved bits {rsv}": refused(frame(TEXT, b"a", rsv=rsv)) for rsv in range(1, 8)},
    **{f"reserved bits {rsv} in a ping": refused(frame(PING, rsv=rsv)) for rsv in (1, 4)},
    **{f"opcode {it}": refused(frame(it, b"a")) for it in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
}
HALF = frame(TEXT, b"ha", fin=False)
FRAGMENTATION = {
    "in two": Case(HALF + frame(CONT, b"lf") + BYE, [(TEXT, b"half")], 1000),
    "empty ones": Case(
        frame(BINARY, fin=False) + frame(CONT, fin=False) + frame(CONT) + BYE, [(BINARY, b"")], 1000
    ),
    "in hundreds": Case(pieces(b"*" * 50_000, 64) + BYE, [(TEXT, b"*" * 50_000)], 1000),
    "ping between": Case(
        HALF + frame(PING, b"p") + frame(CONT, b"lf") + BYE, [(PONG, b"p"), (TEXT, b"half")], 1000
    ),
    "close between": Case(HALF + BYE, [], 1000),
    "another between": refused(HALF + frame(TEXT, b"other")),
    "continues nothing": refused(frame(CONT, b"a")),
    "ping in fragments": refused(frame(PING, b"a", fin=False)),
    "close in fragments": refused(frame(CLOSE, b"", fin=False)),
}
SURROGATE, TOO_FAR, OVERLONG = b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf"
UTF8 = {
    "text": echoed(TEXT, GREEN),
    "split inside of a character": Case(pieces(GREEN, 1) + BYE, [(TEXT, GREEN)], 1000),
    **{
        f"{bad.hex()} is none": refused(frame(TEXT, GREEN + bad + b"edited"), 1007)
        for bad in (SURROGATE, TOO_FAR, OVERLONG, b"\xff", b"\x80")
    },
    "ends inside of a character": refused(frame(TEXT, GREEN[:-1]), 1007),
    "known in the first frame": refused(frame(TEXT, TOO_FAR, fin=False), 1007),
    "known in the second frame": refused(HALF + frame(CONT, TOO_FAR, fin=False), 1007),
    "binary may be anything": echoed(BINARY, SURROGATE + TOO_FAR),
}
VALID_CODES = (1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999)
INVALID_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
CLOSING = {
    **{f"with {code}": Case(close(code), [], code) for code in VALID_CODES},
    **{f"with {code}": refused(close(code)) for code in INVALID_CODES},
    "without a code": Case(frame(CLOSE), [], 1005),
    "with half a code": refused(frame(CLOSE, b"\x03")),
    "with a reason": Case(close(1000, GREEN), [], 1000),
    "with the longest reason": Case(close(1000, b"a" * 123), [], 1000),
    "with too long a reason": refused(close(1000, b"a" * 124)),
    "with a reason that is no text": refused(close(1000, TOO_FAR), 1007),
    "and then a message": Case(BYE + frame(TEXT, b"a"), [], 1000),
    "and then a ping": Case(BYE + frame(PING, b"a"), [], 1000),
    "twice": Case(BYE + BYE, [], 1000),
}
LIMITS = {
    "too large": refused(frame(BINARY, bytes(MAX_SIZE + 1)), 1009),
    "too large, and it has not come": refused(frame(BINARY, bytes(MAX_SIZE + 1))[:10], 1009),
    "too large in parts": refused(
        frame(BINARY, bytes(MAX_SIZE), fin=False) + frame(CONT, b"a"), 1009
    ),
    "too many fragments": refused(
        frame(TEXT, fin=False) + frame(CONT, fin=False) * 1000 + frame(CONT), 1009
    ),
}


def packed(data: bytes) -> bytes:
    """Data as permessage-deflate has it: without the last four bytes."""
    deflate = zlib.compressobj(wbits=-12)
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


COMPRESSION = {
    "text": Case(frame(TEXT, packed(GREEN), rsv=4) + BYE, [(TEXT, GREEN)], 1000),
    "not packed": Case(frame(TEXT, GREEN) + BYE, [(TEXT, GREEN)], 1000),
    "twice, without a memory": Case(
        frame(TEXT, packed(GREEN), rsv=4) * 2 + BYE, [(TEXT, GREEN)] * 2, 1000
    ),
    "in two frames": Case(
        frame(TEXT, packed(GREEN)[:4], fin=False, rsv=4) + frame(CONT, packed(GREEN)[4:]) + BYE,
        [(TEXT, GREEN)],
        1000,
    ),
    "its second frame marked": refused(
        frame(TEXT, packed(GREEN)[:4], fin=False, rsv=4) + frame(CONT, packed(GREEN)[4:], rsv=4)
    ),
    "a ping marked": refused(frame(PING, b"a", rsv=4)),
    "no deflate": refused(frame(TEXT, b"\xff" * 9, rsv=4)),
    "a bomb": refused(frame(BINARY, packed(bytes(10 * MAX_SIZE)), rsv=4), 1009),
    "a text that is none": refused(frame(TEXT, packed(TOO_FAR), rsv=4), 1007),
}


def check(case: Case, fields: bytes = b"", cut: int | None = None) -> None:
    """``cut`` is how many bytes arrive at once."""
    echo = Echo()
    # What the application echoes has to be out before the client closes.
    sent = case.sent.removesuffix(BYE) if case.back else case.sent
    step = cut or max(len(sent), 1)
    with accepted(echo, fields=fields, websocket_max_message_size=MAX_SIZE) as socket:
        socket.send(*(sent[at : at + step] for at in range(0, len(sent), step)))
        for expected in case.back:
            assert socket.read() == expected
        socket.send(case.sent.removeprefix(sent))
        code, reason = socket.read_close()
        until(lambda: echo.told)
    assert code == case.code
    assert echo.told == (code, reason)


@pytest.fixture(autouse=True)
def few_fragments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_FRAGMENTS", 1000)


def named(cases: dict[str, Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases.values(), ids=list(cases))


@named(FRAMING)
def test_frames_are_read_as_rfc_6455_has_them(case: Case) -> None:
    """Section 5.2: sizes, masks, opcodes and reserved bits; and control frames, 5.5."""
    check(case)


@named(FRAGMENTATION)
def test_messages_come_in_frames(case: Case) -> None:
    """Section 5.4: their order, and what may come between them."""
    check(case)


@named(UTF8)
def test_a_text_is_utf8(case: Case) -> None:
    """Section 8.1: anything else is 1007, as soon as it is there."""
    check(case)


@named(CLOSING)
def test_a_client_closes(case: Case) -> None:
    """Sections 5.5.1 and 7.4: its code is echoed, and told to the application with its reason."""
    check(case)


@named(LIMITS)
def test_a_message_has_limits(case: Case) -> None:
    """By bytes and by frames: 1009, before what is too much has come."""
    check(case)


@named(COMPRESSION)
def test_messages_are_packed(case: Case) -> None:
    """RFC 7692, where the client offers it; limits hold for what comes out."""
    check(case, DEFLATE)


@named({**FRAGMENTATION, **UTF8, "longest ping": FRAMING["longest ping"]})
def test_frames_arrive_in_any_cut(case: Case) -> None:
    """Byte by byte it is the same."""
    if len(case.sent) < 1000:
        check(case, cut=1)


@pytest.mark.parametrize("cut", [False, True])
def test_what_breaks_the_protocol_is_told_though_the_application_fails(cut: bool) -> None:
    """A message, and an error behind it: whether or not the echo still comes, 1002 does."""
    parts = [frame(TEXT, b"a"), frame(CONT, b"b")]
    with accepted(Echo()) as socket:
        socket.send(*parts if cut else [b"".join(parts)])
        while (got := socket.read())[0] == TEXT:
            pass
    assert got[0] == CLOSE
    assert int.from_bytes(got[1][:2], "big") == 1002


def test_compression_is_the_clients_choice() -> None:
    """It is in the answer to an offer, and nowhere else; no context is kept between messages."""
    with accepted(Echo()) as socket:
        assert "sec-websocket-extensions" not in socket.fields
        socket.send(frame(TEXT, b"a", rsv=4))
        assert socket.read_close()[0] == 1002
    with accepted(Echo(), fields=DEFLATE) as socket:
        answer = socket.fields["sec-websocket-extensions"]
        assert "server_no_context_takeover" in answer
        assert "client_no_context_takeover" in answer
        socket.send(frame(TEXT, packed(b"*" * 10_000), rsv=4))
        assert socket.client.file.peek(1)[0] & 0x40, "the server packs as well"


def test_the_number_of_frames_is_limited_in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit lets through what the Autobahn suite sends, 65,536, and no million."""
    monkeypatch.undo()
    assert 65_536 < messages.MAX_FRAGMENTS < 1_000_000
