"""Password hashing: Argon2id, on real threads, so that many logins do not block other requests."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from colorless.offload import offload

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane; about 20 ms of one core.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


class Passwords:
    """Hashes and verifies passwords; other green threads run meanwhile."""

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        self._hasher = hasher
        # Verified when there is no such user, so that the time taken does not tell.
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """What to store in place of the password."""
        return offload(self._hasher.hash, password)

    def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password that ``stored`` came from; takes as long for ``None``."""
        if stored is None:
            self._nobody = self._nobody or self.hash("nobody")
            self._verify(self._nobody, password)
            return False
        return self._verify(stored, password)

    def is_outdated(self, stored: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return offload(self._hasher.verify, stored, password)
        except VerifyMismatchError:
            return False
