import asyncio

import gevent
import pytest

from colorless.deadlines import DeadlineExceeded, fail_after, move_on_after


def test_a_deadline_may_span_an_await() -> None:
    """It ends the await, and nobody else's: the green thread it was set in has moved on."""

    async def other() -> str:
        gevent.sleep(0.03)
        return "undisturbed"

    async def main() -> tuple[str, int]:
        beside = [asyncio.create_task(other()) for _ in range(3)]
        with pytest.raises(DeadlineExceeded), fail_after(0.01):
            await asyncio.sleep(60)
        task = asyncio.current_task()
        assert task is not None
        assert {await it for it in beside} == {"undisturbed"}
        return "went on", task.cancelling()

    assert asyncio.run(main()) == ("went on", 0)


def test_a_deadline_set_before_an_await_strikes_green_code_after_it() -> None:
    """The task has changed its green thread meanwhile; the error is thrown into the right one."""

    async def main() -> bool:
        with move_on_after(0.01) as scope:
            await asyncio.sleep(0.001)
            gevent.sleep(60)
        await asyncio.sleep(0)
        return scope.expired

    assert asyncio.run(main())


def test_a_cancellation_by_others_stays_one() -> None:
    """Inside of a deadline's block, a cancel that has another cause is not taken for it."""

    async def main() -> None:
        with fail_after(60):
            await asyncio.sleep(60)

    async def cancel() -> bool:
        task = asyncio.create_task(main())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(cancel())


def test_the_inner_of_two_deadlines_strikes_alone() -> None:
    """The outer block goes on behind the inner one."""

    async def main() -> list[bool]:
        with fail_after(60) as outer:
            with move_on_after(0.01) as inner:
                await asyncio.sleep(60)
            await asyncio.sleep(0.001)
        return [inner.expired, outer.expired]

    assert asyncio.run(main()) == [True, False]
