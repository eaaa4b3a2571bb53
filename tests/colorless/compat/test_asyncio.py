"""asyncio's private names: the lists of them, and the asyncio that runs."""

import ast
import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colorless.compat import asyncio as compat
from colorless.loop import HubLoop, HubPolicy
from colorless.loop.subprocesses import _ChildTransport
from colorless.loop.transport import SocketTransport

COMPAT = Path(compat.__file__)
OURS: dict[type, type] = {
    compat.AsyncioLoop: HubLoop,
    compat.SelectorSocketTransport: SocketTransport,
    compat.BaseSubprocessTransport: _ChildTransport,
}


def declared(name: str) -> set[str]:
    """The fields and methods that a class of the compatibility module declares."""
    for node in ast.walk(ast.parse(COMPAT.read_text())):
        if isinstance(node, ast.ClassDef) and node.name == name:
            methods = {it.name for it in node.body if isinstance(it, ast.FunctionDef)}
            fields = {it.target.id for it in node.body if isinstance(it, ast.AnnAssign)}  # type: ignore[union-attr]
            return {it for it in methods | fields if is_private(it)}
    raise LookupError(name)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@pytest.fixture
def asyncios() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop of asyncio's own."""
    with_selector: Any = compat.AsyncioLoop
    loop = with_selector()
    yield loop
    loop.close()


@pytest.mark.parametrize("base", OURS, ids=lambda it: it.__name__)
def test_each_method_that_is_replaced_is_listed(base: type) -> None:
    """A private method that asyncio has as well is on the list of those that replace asyncio's."""
    ours = [each for each in OURS[base].__mro__ if each.__module__.startswith("colorless.")]
    private = {name for each in ours for name in vars(each) if is_private(name)}
    assert {it for it in private if hasattr(base, it)} == set(compat.REPLACED_METHODS[base])


def test_asyncio_calls_each_method_that_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is passed by in the life of a loop that does a bit of everything."""
    called: set[str] = set()
    for base, names in compat.REPLACED_METHODS.items():
        for name in names:
            # What asyncio hands to the loop as a callback, the loop calls.
            callers = ("asyncio",) if base is not compat.SelectorSocketTransport else ("colorless",)
            note = _noting(getattr(OURS[base], name), name, callers, called)
            monkeypatch.setattr(OURS[base], name, note)
    loop = HubLoop()
    loop.run_until_complete(_a_bit_of_everything())
    loop.close()
    assert called == {name for names in compat.REPLACED_METHODS.values() for name in names}


def _noting(method: Any, name: str, callers: tuple[str, ...], called: set[str]) -> Any:
    def noted(*args: Any, **kwargs: Any) -> Any:
        if sys._getframe(1).f_globals["__name__"].startswith(callers):
            called.add(name)
        return method(*args, **kwargs)

    return noted


async def _a_bit_of_everything() -> None:
    loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    with one, other:
        loop.add_reader(one, int)
        loop.add_writer(one, int)
        assert loop.remove_reader(one)
        assert loop.remove_writer(one)
        reader, writer = await asyncio.open_connection(sock=one)
        other.send(b"line\n")
        assert await reader.readline() == b"line\n"
        writer.close()
    one, other = socket.socketpair()
    other.close()
    with one, pytest.raises(ConnectionError):
        await loop.create_connection(
            asyncio.Protocol, sock=one, ssl=True, server_hostname="localhost"
        )
    loop.call_soon_threadsafe(int)
    loop.set_debug(True)
    loop.call_later(0, int)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    assert await child.wait() == 0


def test_a_handle_has_the_fields_that_are_filled_in() -> None:
    """No more and no fewer: what is filled in here is all that asyncio's constructors fill in."""
    slots = {name for each in (asyncio.Handle, asyncio.TimerHandle) for name in each.__slots__}
    assert slots - {"__weakref__"} == declared("HandleFields")


def test_a_loop_has_what_is_inherited_from_it(asyncios: asyncio.AbstractEventLoop) -> None:
    """Each field and method that our loop takes from asyncio's is there."""
    assert [name for name in declared("AsyncioLoop") if not hasattr(asyncios, name)] == []


def test_a_transport_has_what_is_inherited_from_it() -> None:
    """Each field and method that our transport takes from asyncio's is there."""

    async def missing() -> list[str]:
        one, other = socket.socketpair()
        with other:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=one)
            names = declared("SelectorSocketTransport")
            transport.close()
            return [name for name in names if not hasattr(transport, name)]

    assert asyncio.run(missing()) == []


def test_a_runner_and_a_policy_have_what_is_read_of_them() -> None:
    """The event loop of a runner, and what a policy keeps for each thread."""
    with asyncio.Runner() as runner:
        assert all(hasattr(runner, name) for name in declared("RunnerFields"))
    policy: Any = compat.DefaultPolicy()
    gone = {"_set_called"} if sys.version_info >= (3, 14) else set()
    there = {name for name in declared("PolicyFields") if hasattr(policy._local, name)}
    assert there == declared("PolicyFields") - gone
    assert all(hasattr(HubPolicy(), name) for name in declared("DefaultPolicy"))


def test_the_loop_uses_no_other_private_name(asyncios: asyncio.AbstractEventLoop) -> None:
    """What our loop has in common with asyncio's is declared: nothing is so by accident."""
    listed = declared("AsyncioLoop") | set(compat.REPLACED_METHODS[compat.AsyncioLoop])
    theirs = {name for name in dir(asyncios) if is_private(name)} - listed
    used = {
        f"{path.name}: {node.attr}"
        for path in (COMPAT.parents[1] / "loop").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in theirs
    }
    assert used == set()
