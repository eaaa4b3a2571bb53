from tests.tools.fresh import output_of

PRELUDE = """
from colorless.patch import patch_everything
patch_everything()
import asyncio, os, socket, gevent
from colorless.bridge import await_
from colorless.bridge.shared import current_loop
"""


def run(code: str) -> str:
    return output_of(PRELUDE + code)


def test_a_child_has_a_loop_of_its_own_and_leaves_the_parents_alone() -> None:
    """The child does not read from its parent's sockets, and the parent's loop goes on."""
    assert (
        run("""
left, right = socket.socketpair()
reader, writer = await_(asyncio.open_connection(sock=left))
before = current_loop()
waiting = gevent.spawn(lambda: await_(reader.readexactly(2)))
gevent.sleep(0.01)
child = os.fork()
if not child:
    right.send(b"a")
    gevent.sleep(0.05)
    fresh = await_(asyncio.sleep(0.01, "child")) == "child" and current_loop() is not before
    alone = not reader._buffer
    os._exit(0 if fresh and alone else 1)
_, status = os.waitpid(child, 0)
right.send(b"b")
print(os.waitstatus_to_exitcode(status), waiting.get(timeout=5).decode(), current_loop() is before)
""")
        == "0 ab True"
    )


def test_asyncio_run_works_in_a_child_forked_inside_of_a_coroutine() -> None:
    """The child's asyncio.run starts from nothing; the parent's coroutine gets its answer."""
    assert (
        run("""
async def main():
    child = os.fork()
    if not child:
        os._exit(asyncio.run(asyncio.sleep(0.01, 7)))
    await asyncio.sleep(0.001)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(asyncio.run(main()))
""")
        == "7"
    )


def test_a_child_does_not_say_goodbye_on_its_parents_connections() -> None:
    """What the parent's coroutines do when they are closed must not be done by its child."""
    assert (
        run("""
import gc
async def hold(sock):
    try:
        await asyncio.sleep(60)
    finally:
        sock.send(b"goodbye")
left, right = socket.socketpair()
holder = gevent.spawn(await_, hold(left))
gevent.sleep(0.01)
if not (child := os.fork()):
    gc.collect()
    os._exit(0)
os.waitpid(child, 0)
right.setblocking(False)
try:
    print(right.recv(10))
except BlockingIOError:
    print("silence")
""")
        == "silence"
    )


def test_a_plain_exit_with_work_in_the_background() -> None:
    """A process with calls in flight ends when its main green thread does."""
    assert (
        run("""
gevent.spawn(await_, asyncio.sleep(60))
print(await_(asyncio.sleep(0.01, "end")))
""")
        == "end"
    )


def test_gevent_wait_returns_when_nothing_is_left_to_do() -> None:
    """The shared loop alone does not keep the hub busy, and nothing hangs on it."""
    assert (
        run("""
await_(asyncio.sleep(0))
gevent.wait()
print("nothing left")
""")
        == "nothing left"
    )


def test_a_wait_for_a_real_thread_is_no_deadlock() -> None:
    """Nothing but another thread can end it, which the hub cannot see: it must not give up."""
    assert (
        run("""
from gevent import monkey
import time
start = monkey.get_original("_thread", "start_new_thread")
sleep = monkey.get_original("time", "sleep")
async def main():
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    start(lambda: (sleep(0.05), loop.call_soon_threadsafe(done.set_result, "woken")), ())
    return await done
print(await_(main()), asyncio.run(main()))
""")
        == "woken woken"
    )
