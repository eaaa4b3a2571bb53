"""Which files there are to run, who gets which, and what is left when somebody dies."""

import random
import threading
from collections.abc import Mapping, Sequence

_ROUNDS = 3  # in which what was postponed runs


class Plan:
    """The files still to be run. Shared by the threads that look after one shard each."""

    def __init__(self, seconds: Mapping[str, float], unknown: float, seed: str | None) -> None:
        self._seconds = seconds
        self._unknown = unknown
        self._seed = seed
        self._lock = threading.Lock()
        self._files: list[str] | None = None
        self._postponed: list[str] = []
        self._only: dict[str, list[str]] | None = None
        self._rounds = 0
        self.total = 0

    def begin(self, files: Sequence[str]) -> None:
        """These are there. All shards find the same ones; the first caller decides."""
        with self._lock:
            if self._files is None:
                self._files = self._in_order(list(files))
                self.total = len(self._files)

    def next(self) -> str | None:
        """The next file to run, or None where there is no more."""
        with self._lock:
            return self._files.pop(0) if self._files else None

    def only(self, file: str) -> list[str] | None:
        """The tests of ``file`` that are to be run, or None for all of them."""
        return None if self._only is None else self._only[file]

    def postpone(self, nodeid: str) -> bool:
        """Whether this test will run again: it failed, and that may not have been its own fault."""
        with self._lock:
            if self._rounds == _ROUNDS:
                return False
            self._postponed.append(nodeid)
            return True

    def again(self) -> bool:
        """All is done but what was postponed; whether there is any, to be dealt out now."""
        with self._lock:
            self._rounds += 1
            self._only = {}
            for nodeid in self._postponed:
                self._only.setdefault(nodeid.split("::")[0], []).append(nodeid)
            self._postponed = []
            self._files = list(self._only)
            self.total += len(self._files)
            return bool(self._files)

    def give_back(self, files: Sequence[str]) -> None:
        """These were dealt out, and not begun."""
        with self._lock:
            self._files = [*files, *(self._files or [])]

    def stop(self) -> None:
        """Deal out nothing more."""
        with self._lock:
            self._files = []

    def _in_order(self, files: list[str]) -> list[str]:
        """The longest first, so that none is begun when the others are done; or shuffled."""
        if self._seed is not None:
            random.Random(self._seed).shuffle(files)
            return files
        return sorted(files, key=self._estimate, reverse=True)

    def _estimate(self, file: str) -> float:
        return self._seconds.get(file, self._unknown)
