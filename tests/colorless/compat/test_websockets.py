"""websockets still calls what we override, and still needs it."""

import pytest
from websockets import server
from websockets.frames import CloseCode
from websockets.protocol import State

from colorless.compat.websockets import ServerProtocol
from tests.colorless.server.frames import TEXT, close, frame

CLOSE_BETWEEN = frame(TEXT, b"ha", fin=False) + close(1000)


@pytest.mark.parametrize(
    "protocol, code",
    [(server.ServerProtocol, CloseCode.PROTOCOL_ERROR), (ServerProtocol, CloseCode.NORMAL_CLOSURE)],
)
def test_a_close_between_frames_is_an_error_to_websockets_alone(
    protocol: type[server.ServerProtocol], code: CloseCode
) -> None:
    """As soon as websockets lets a client do so by itself, the override may go."""
    speaker = protocol(state=State.OPEN)
    speaker.receive_data(CLOSE_BETWEEN)
    assert speaker.eof_sent
    assert speaker.close_rcvd is not None
    assert speaker.close_rcvd.code == CloseCode.NORMAL_CLOSURE
    assert speaker.close_sent is not None
    assert speaker.close_sent.code == code
