"""An asyncio event loop that is the gevent hub.

readers            readers and writers: descriptors watched by the hub
timers             asyncio's heap of timers, with one timer of the hub for the first
transport          connections
signals            signal handlers
subprocesses       child processes
tasks              tasks whose cancel reaches synchronous code
executor           run_in_executor, to_thread: green threads
thread_executor    real threads, for who wants those
foreign_greenlets  greenlets that other libraries make inside of a callback
ready_queue        the turns of a loop, and what begins them
runner             the green threads that its callbacks run in, and what happens when one waits
hubloop            HubLoop: callbacks, timers, running and stopping
zero_timeout_poll  a coroutine that asks what is ready, and does not wait for it
thread_idents      threading.get_ident() in callbacks
replace_loops      HubLoop for who asks for uvloop or for asyncio's own loop
policy             HubLoop as asyncio's default, and asyncio.run where asyncio would refuse it
"""

from colorless.loop.hubloop import HubLoop
from colorless.loop.policy import HubPolicy, install_policy
from colorless.loop.thread_executor import RealThreads

__all__ = ["HubLoop", "HubPolicy", "RealThreads", "install_policy"]
