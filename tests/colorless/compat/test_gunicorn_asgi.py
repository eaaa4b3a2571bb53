"""What our ASGI workers rely on in gunicorn's."""

from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gasgi import ASGIWorker

from colorless.loop import HubLoop
from colorless.worker.asgi import StockASGIWorker


class Ended(Exception):
    """The worker has come as far as the test looks."""


@pytest.mark.parametrize("setting", ["auto", "asyncio", "uvloop"])
def test_gunicorns_worker_has_a_loop_on_the_hub(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes it in init_process(), as asyncio makes one, whatever the setting says."""

    def end(self: Any) -> None:
        raise Ended

    monkeypatch.setattr(ASGIWorker.__mro__[1], "init_process", end)
    cfg = Config()
    cfg.set("asgi_loop", setting)
    worker = StockASGIWorker(1, 1, [], None, 30, cfg, _Log())
    try:
        with pytest.raises(Ended):
            worker.init_process()
        assert type(worker.loop) is HubLoop
    finally:
        worker.loop.close()
        worker.tmp.close()


class _Log:
    def debug(self, *args: object) -> None: ...

    warning = debug
