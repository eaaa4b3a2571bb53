import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.fresh import output_of

PATCHED = "from colorless.patch import patch_everything; patch_everything()\n"

# A second process that does nothing until this one's other green thread has let it.
HELD = (
    PATCHED
    + """
import multiprocessing, gevent
fork = multiprocessing.get_context("fork")
gate, let = fork.Pipe()
"""
)


def test_pipe_waits_green() -> None:
    """What another process sends is waited for while green threads of this one go on."""
    code = """
ours, theirs = fork.Pipe()
child = fork.Process(target=lambda: theirs.send(gate.recv()))
child.start()
gevent.spawn(let.send, "x" * 1_000_000)
print(len(ours.recv()))
child.join()
"""
    assert output_of(HELD + code) == "1000000"


def test_full_pipe_waits_green() -> None:
    """Who sends more than a pipe holds lets the green thread run that makes room for it."""
    code = """
ours, theirs = fork.Pipe(duplex=False)
sender = gevent.spawn(theirs.send, "x" * 1_000_000)
print(len(ours.recv()))
"""
    assert output_of(HELD + code) == "1000000"


def test_lock_waits_green() -> None:
    """A lock that another process has holds up only who waits for it, for as long as it may."""
    code = """
lock = fork.Lock()
taken, tell = fork.Pipe()
def holds():
    with lock:
        tell.send(None)
        gate.recv()
child = fork.Process(target=holds)
child.start()
taken.recv()
print(lock.acquire(timeout=0.01), lock.acquire(block=False), end=" ")
gevent.spawn(let.send, None)
with lock:
    print("ours")
child.join()
"""
    assert output_of(HELD + code) == "False False ours"


@pytest.mark.parametrize("before", ["pass", "gc.freeze()"])
def test_forked_child_does_not_go_on_with_its_parents_work(before: str) -> None:
    """While a forked child waits, the connections to its parent's server are its parent's, also
    when the parent has put what it waits for out of the garbage collector's sight."""
    code = """
import gc, os, socket
server = socket.create_server(("127.0.0.1", 0))
def serve():
    while True:
        connection, _ = server.accept()
        connection.sendall(str(os.getpid()).encode())
        connection.close()
gevent.spawn(serve)
gevent.sleep(0)
BEFORE
ours, theirs = fork.Pipe()
child = fork.Process(target=lambda: (theirs.send("ready"), gate.recv()))
child.start()
ours.recv()
asked = [socket.create_connection(server.getsockname()) for _ in range(50)]
print({int(connection.recv(9)) for connection in asked} == {os.getpid()})
let.send(None)
child.join()
"""
    assert output_of(HELD + code.replace("BEFORE", before)) == "True"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pool_works_and_ends(method: str) -> None:
    """A pool of processes computes, however they are started, and can be closed."""
    code = f"""
import multiprocessing
pool = multiprocessing.get_context("{method}").Pool(2)
print(pool.map(abs, range(-3, 0)), pool.apply_async(abs, (-4,)).get())
pool.close()
pool.join()
"""
    assert output_of(PATCHED + code) == "[3, 2, 1] 4"


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_manager_works(method: str) -> None:
    """A manager's process answers, and ends when it is told to."""
    code = f"""
import multiprocessing
with multiprocessing.get_context("{method}").Manager() as manager:
    shared = manager.dict(a=1)
    shared["b"] = 2
    print(dict(shared))
"""
    assert output_of(PATCHED + code) == "{'a': 1, 'b': 2}"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_exit_status_is_known(method: str) -> None:
    """How a process ended is told, also when the hub has looked after other children before."""
    code = f"""
import multiprocessing, os, subprocess
subprocess.run(["true"], check=True)
child = multiprocessing.get_context("{method}").Process(target=os._exit, args=(3,))
child.start()
child.join(30)
print(child.exitcode, child.is_alive())
child.close()
"""
    assert output_of(PATCHED + code) == "3 False"


def test_spawned_workers_end_quietly(tmp_path: Path) -> None:
    """A spawned process, which patches itself as it imports the program, ends without noise."""
    program = tmp_path / "program.py"
    program.write_text(
        PATCHED
        + """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

def double(number):
    return 2 * number

if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        print(pool.submit(double, 2).result())
"""
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("4\n", "")
