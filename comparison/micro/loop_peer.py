"""The other end of comparison.micro.loop: an echo server and an HTTP server that says hello.

It prints their ports and ends when its standard input does.
"""

import asyncio
import sys
from typing import Any

import uvloop

HELLO = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"


class Echo(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: Any) -> None:
        """Keep the way back."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)


class Hello(Echo):
    """Answers each GET; a request is one packet here."""

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(HELLO * data.count(b"GET "))


async def serve() -> None:
    """Serve until the end of standard input."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(protocol, "127.0.0.1", 0) for protocol in (Echo, Hello)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
