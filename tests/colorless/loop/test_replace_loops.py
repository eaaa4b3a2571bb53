import pytest

from tests.tools.fresh import output_of

PATCHED = """
from colorless.patch import patch_everything; patch_everything()
import asyncio, warnings
warnings.simplefilter("ignore")

async def loop_name():
    return type(asyncio.get_running_loop()).__name__
"""


@pytest.mark.parametrize(
    "code",
    [
        "print(asyncio.Runner(loop_factory=asyncio.SelectorEventLoop).run(loop_name()))",
        "import uvloop; print(asyncio.Runner(loop_factory=uvloop.new_event_loop).run(loop_name()))",
        "import uvloop; uvloop.install(); print(asyncio.run(loop_name()))",
        "import uvloop; print(uvloop.run(loop_name()))",
        "asyncio.set_event_loop_policy(None); print(asyncio.run(loop_name()))",
    ],
)
def test_who_asks_for_another_loop_gets_hub_loop(code: str) -> None:
    """uvloop's and asyncio's own ways to make a loop make one that nothing blocks."""
    assert output_of(PATCHED + code) == "HubLoop"


def test_own_loop_is_left_alone() -> None:
    """A factory or a policy of the program's own is what asyncio uses."""
    code = """
from colorless.loop import HubLoop, HubPolicy
class Mine(HubLoop): pass
class Policy(HubPolicy): _loop_factory = Mine
print(asyncio.Runner(loop_factory=Mine).run(loop_name()), end=" ")
asyncio.set_event_loop_policy(Policy())
print(asyncio.run(loop_name()))
"""
    assert output_of(PATCHED + code) == "Mine Mine"


@pytest.mark.parametrize("loop", ["auto", "asyncio", "uvloop", "none"])
def test_uvicorn_runs_hub_loop(loop: str) -> None:
    """uvicorn serves on HubLoop, whichever loop it is told to choose."""
    code = f"""
import uvicorn
async def app(scope, receive, send):
    print(await loop_name())
    server.should_exit = True
    await send({{"type": "lifespan.startup.complete"}})
server = uvicorn.Server(uvicorn.Config(app, port=0, loop="{loop}", log_level="error"))
server.run()
"""
    assert output_of(PATCHED + code).splitlines()[0] == "HubLoop"
