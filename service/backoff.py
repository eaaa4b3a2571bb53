"""Exponential backoff with jitter, for connections and jobs that are tried again for ever."""

from __future__ import annotations

import random

# Seconds; guessed: quick enough for a restart, gentle enough for an outage.
FIRST, LONGEST = 0.1, 5.0


class Backoff:
    """Delays that double, up to :data:`LONGEST`; :meth:`reset` after a success."""

    def __init__(self) -> None:
        self._ceiling = FIRST

    def reset(self) -> None:
        """Start over."""
        self._ceiling = FIRST

    def delay(self) -> float:
        """Seconds to wait now."""
        ceiling, self._ceiling = self._ceiling, min(LONGEST, self._ceiling * 2)
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - no secret
