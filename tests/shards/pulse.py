"""Whether the machine stood still: a process with nothing to do notices that it is woken late."""

import threading
import time

_BEAT = 0.05  # seconds between two beats
# Seconds by which a beat is late when a virtual machine gets no processor. Guessed: the shards keep
# all cores busy, and their scheduler wakes who has slept in a small part of this.
_LATE = 0.3


class Pulse(threading.Thread):
    """Beats beside the shards, and remembers when a beat was late last."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._missed = 0.0

    def run(self) -> None:
        """For as long as the process lives."""
        while True:
            begun = time.monotonic()
            time.sleep(_BEAT)
            now = time.monotonic()
            if now - begun > _BEAT + _LATE:
                self._missed = now

    def missed_since(self, when: float) -> bool:
        """Whether the machine has stood still since ``when``, on the monotonic clock."""
        return self._missed > when
