"""Whether a head has arrived whole and within its limits.

Most heads arrive in one piece, and one search finds their end. The others are kept here while they
arrive: each byte is looked at once, however many pieces they come in, and a limit holds as soon as
it is passed.
"""

from __future__ import annotations

from enum import Enum, auto

from colorless.server.engine.settings import HeadLimits

END = b"\r\n\r\n"
_V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_V2_HEADER = 16  # the signature, a version, a family, and how many bytes of addresses follow
_CR, _FOLDS = 0x0D, b" \t"


class Verdict(Enum):
    """What is known of a head so far."""

    INCOMPLETE = auto()
    READY = auto()
    """It is whole, or its reader refuses it without waiting for more."""
    TOO_LARGE = auto()
    """A limit is passed, and the head may never end."""


class ArrivingHead:
    """The head of a request that has not arrived in one piece."""

    __slots__ = (
        "_begun",
        "_data",
        "_empty_line",
        "_field",
        "_fields",
        "_limits",
        "_line",
        "_preface",
        "_seen",
    )

    def __init__(self, limits: HeadLimits, proxied: bool) -> None:
        self._limits = limits
        self._data = bytearray()
        self._preface = proxied  # whether the PROXY protocol's part is still to come
        self._seen = 0  # bytes that were looked at
        self._line = 0  # where the line that arrives now begins
        self._empty_line = False  # whether one came before the request
        self._begun = False  # whether the request line has ended
        self._fields = 0
        self._field = 0  # bytes of the last field, with the lines folded into it

    def feed(self, data: bytes) -> Verdict:
        """``data`` has arrived."""
        self._data += data
        if self._preface and not self._skip_preface():
            too_long = len(self._data) > self._limits.line + _V2_HEADER + 0xFFFF
            return Verdict.TOO_LARGE if too_long else Verdict.INCOMPLETE
        while (end := self._data.find(b"\n", self._seen)) >= 0:
            verdict = self._line_ends(end)
            if verdict is not Verdict.INCOMPLETE:
                return verdict
            self._seen = self._line = end + 1
        self._seen = len(self._data)
        return self._line_grows(self._seen - self._line)

    def take(self) -> bytes:
        """All that has arrived."""
        return bytes(self._data)

    def _line_ends(self, end: int) -> Verdict:
        length = end - 1 - self._line
        if length < 0 or self._data[end - 1] != _CR:
            return Verdict.READY  # a bare line feed is refused
        if length == 0:
            # One empty line may come before the request (RFC 9112, section 2.2).
            skipped = not self._begun and not self._empty_line
            self._empty_line = True
            return Verdict.INCOMPLETE if skipped else Verdict.READY
        if not self._begun:
            self._begun = True
            return Verdict.READY if length > self._limits.line else Verdict.INCOMPLETE
        if self._data[self._line] in _FOLDS:
            self._field += length + 2
        else:
            self._field = length + 2
            self._fields += self._counts(end)
        return self._within_limits(self._field)

    def _line_grows(self, length: int) -> Verdict:
        if not self._begun:
            return Verdict.READY if length > self._limits.line + 2 else Verdict.INCOMPLETE
        folded = length and self._data[self._line] in _FOLDS
        # Its last byte may be the first of the line's end.
        return self._within_limits((self._field if folded else 0) + length + 1)

    def _within_limits(self, field: int) -> Verdict:
        limits = self._limits
        if field > limits.field or self._fields > limits.fields or self._seen > limits.total:
            return Verdict.TOO_LARGE
        return Verdict.INCOMPLETE

    def _counts(self, end: int) -> bool:
        if self._limits.counts_underscores:
            return True
        name = self._data[self._line : min(end, self._line + self._limits.field)].partition(b":")[0]
        return b"_" not in name

    def _skip_preface(self) -> bool:
        """Go behind the PROXY protocol's part, if all of it is here."""
        data, versions = self._data, self._limits.proxy_protocol
        end = 0
        if len(data) < len(_V2_SIGNATURE):
            return False
        if "v2" in versions and data.startswith(_V2_SIGNATURE):
            end = _V2_HEADER + int.from_bytes(data[14:_V2_HEADER], "big")
            if len(data) < max(end, _V2_HEADER):
                return False
        elif "v1" in versions and data.startswith(b"PROXY "):
            end = data.find(b"\n", self._seen) + 1
            self._seen = len(data)
            if not end:
                return False
        self._seen = self._line = end
        self._preface = False
        return True
