"""An asyncio event loop that is the gevent hub.

hubloop.py    HubLoop: callbacks, timers, running and stopping
runner.py     the green threads that its callbacks run in, and what happens when one waits
bursts.py     the turns of a loop, and what begins them
watching.py   readers and writers: descriptors watched by the hub
transport.py  connections
questions.py  a coroutine that asks what is ready, and does not wait for it
tasks.py      tasks whose cancel reaches synchronous code
executor.py   run_in_executor, to_thread: green threads; realthreads.py for who wants others
idents.py     threading.get_ident() in callbacks
signals.py    signal handlers        children.py   child processes
policy.py     HubLoop as asyncio's default, and asyncio.run where asyncio would refuse it
others.py     HubLoop for who asks for uvloop or for asyncio's own loop
"""

from colorless.loop.hubloop import HubLoop
from colorless.loop.policy import HubPolicy, install_policy
from colorless.loop.realthreads import RealThreads

__all__ = ["HubLoop", "HubPolicy", "RealThreads", "install_policy"]
