"""How long to wait before the next attempt: longer each time, and never in step with others."""

from __future__ import annotations

import random

# Seconds; guessed: quick enough for a restart, gentle enough for an outage.
FIRST, MOST = 0.1, 5.0


class Backoff:
    """Doubling delays with full jitter; :meth:`reset` after a success."""

    def __init__(self) -> None:
        self._ceiling = FIRST

    def reset(self) -> None:
        """Start over."""
        self._ceiling = FIRST

    def delay(self) -> float:
        """Seconds to wait now."""
        ceiling, self._ceiling = self._ceiling, min(MOST, self._ceiling * 2)
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - no secret
