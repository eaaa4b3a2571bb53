"""Password hashes in real threads: slow on purpose, in C that gevent's patch does not reach.

Wherever they are called, in a view, in ``asyncio.to_thread`` or in a route of FastAPI, only their
caller waits. No other function is known to take long whatever its arguments; what else takes the
CPU is given to :func:`colorless.offload.offload` by who calls it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from greenlet import getcurrent

from colorless.compat.gevent import get_hub_if_exists
from colorless.import_hooks import when_imported
from colorless.offload import offload

# All of them let go of the interpreter's lock while they compute.
_SLOW = {
    "argon2.low_level": ("hash_secret", "hash_secret_raw", "verify_secret"),
    "bcrypt": ("checkpw", "hashpw", "kdf"),
    "hashlib": ("pbkdf2_hmac", "scrypt"),
}


def install() -> None:
    """Wrap the hash functions of these modules: now, or when they are imported."""
    for name in _SLOW:
        when_imported(name, _wrap)


def _wrap(module: ModuleType) -> None:
    for name in _SLOW[module.__name__]:
        function = getattr(module, name, None)
        if function is not None:
            setattr(module, name, _beside(function))


def _beside(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def hash_beside(*args: Any, **kwargs: Any) -> Any:
        if _may_wait():
            return offload(function, *args, **kwargs)
        return function(*args, **kwargs)

    return hash_beside


def _may_wait() -> bool:
    """Whether this is a green thread of the main thread, and not a real thread or the hub."""
    hub = get_hub_if_exists()
    return hub is not None and hub.loop.default and getcurrent() is not hub
