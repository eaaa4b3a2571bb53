"""Which files there are to run, who gets which, and what is left when somebody dies."""

import os
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


class Plan:
    """The files still to be run. Shared by the threads that look after one shard each."""

    def __init__(self, seconds: Mapping[str, float], unknown: float, seed: str | None) -> None:
        self._seconds = seconds
        self._unknown = unknown
        self._seed = seed
        self._lock = threading.Lock()
        self._files: list[str] | None = None
        self.total = 0

    def begin(self, args: Sequence[str]) -> None:
        """Lay out the files that pytest would look at for ``args``; the first caller decides."""
        with self._lock:
            if self._files is None:
                self._files = self._in_order(list(dict.fromkeys(_files(args))))
                self.total = len(self._files)

    def next(self) -> str | None:
        """The next file to run, or None where there is no more."""
        with self._lock:
            return self._files.pop(0) if self._files else None

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


def _files(args: Sequence[str]) -> Iterator[str]:
    for arg in args:
        path = Path(arg)
        # What is no folder is a file, or one test of it.
        found = sorted(map(str, path.rglob("test_*.py"))) if path.is_dir() else [arg]
        yield from (os.path.relpath(each) for each in found)  # as pytest names what it runs
