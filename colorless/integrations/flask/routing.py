"""Which rule a path matches, remembered by the path's shape.

werkzeug tries a path against its rules, segment by segment. What it decides depends on little: for
a segment that is written out in some rule, on the segment; for any other one (with the converters
below) only on whether it is a number. So all paths of one *shape* match one rule, and the second
of them needs no matching::

    /rooms/7/messages?limit=9     ("rooms", NUMBER, "messages")      the same shape
    /rooms/81/messages            ("rooms", NUMBER, "messages")
    /rooms/seven/messages         ("rooms", WORD, "messages")        another one

It is werkzeug that decides for the first of a shape, and for all of them where a rule needs more
than that: another converter, or one with arguments, a piece of a segment, defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from werkzeug import routing
from werkzeug.routing import Rule, RuleFactory

# Stand in a shape for the segments that no rule has as a word.
NUMBER, WORD = 1, 2
# Guessed. Only shapes that match a rule are remembered, and there are few.
_MAX_SHAPES = 1024
_WHOLE_SEGMENT = re.compile(r"<(?:(int|string|path|default):)?([A-Za-z_]\w*)>")
_CONVERTERS = ("int", "string", "path", "default")

Found = tuple[Rule, Mapping[str, Any]]
Arguments = list[tuple[str, int, bool]]
"""Of each argument its name, the number of its segment, and whether it is an ``int``."""


class Map(routing.Map):
    """werkzeug's map of rules, which remembers the rule that each shape of path matched."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._words: frozenset[str] | None = None
        self._simple = False
        self._shapes: dict[tuple[Any, ...], tuple[Rule, Arguments]] = {}
        super().__init__(*arguments, **options)

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a rule, and forget all shapes: it may match some of them better."""
        super().add(rulefactory)
        self._words = None

    def shape(self, subdomain: str | None, path: str, method: str) -> tuple[Any, ...] | None:
        """The shape of a request; ``None`` where the shape does not determine the rule."""
        words = self._words
        if words is None:
            words = self._study()
        # In the converters' patterns . matches no line end, and \d more digits than 0 to 9.
        if not self._simple or path[:2] == "//" or not (path.isascii() and path.isprintable()):
            return None
        segments = path.split("/")
        return (
            method,
            subdomain,
            *[each if each in words else NUMBER if each.isdigit() else WORD for each in segments],
        )

    def recall(self, shape: tuple[Any, ...], path: str) -> Found | None:
        """The rule that ``shape`` matched before, with the arguments of ``path``; or ``None``."""
        known = self._shapes.get(shape)
        if known is None:
            return None
        rule, arguments = known
        if not arguments:
            return rule, {}
        segments = path.split("/")
        return rule, {
            name: int(segments[at]) if number else segments[at] for name, at, number in arguments
        }

    def remember(self, shape: tuple[Any, ...], path: str, found: Found) -> None:
        """Remember that ``path``, of this shape, matched the rule in ``found``."""
        rule = found[0]
        segments = rule.rule.split("/")
        arguments: Arguments = []
        for at, segment in enumerate(segments):
            if whole := _WHOLE_SEGMENT.fullmatch(segment):
                if whole[1] == "path":
                    return
                arguments.append((whole[2], at, whole[1] == "int"))
        if len(segments) == path.count("/") + 1 and len(self._shapes) < _MAX_SHAPES:
            self._shapes[shape] = (rule, arguments)

    def _study(self) -> frozenset[str]:
        """Collect the words in the rules; find out whether shapes determine the rule at all."""
        self._shapes.clear()
        words = set()
        simple = all(
            self.converters.get(each) is self.default_converters[each] for each in _CONVERTERS
        )
        for rule in self.iter_rules():
            simple = simple and not rule.defaults
            for segment in rule.rule.split("/"):
                if "<" not in segment:
                    words.add(segment)
                elif not _WHOLE_SEGMENT.fullmatch(segment):
                    simple = False
        self._simple = simple
        self._words = frozenset(words)
        return self._words


class Adapter(routing.MapAdapter):
    """One request's view of a :class:`Map`."""

    map: Map

    def match(self, *arguments: Any, **options: Any) -> Any:
        """As werkzeug's; remembers what Flask asks for, ``match(return_rule=True)``."""
        if arguments or options != _AS_FLASK_ASKS:
            return super().match(*arguments, **options)
        path = self.path_info
        shape = self.map.shape(self.subdomain, path, self.default_method)
        if shape is None:
            return super().match(return_rule=True)
        found = self.map.recall(shape, path)
        if found is None:
            found = super().match(return_rule=True)
            self.map.remember(shape, path, found)
        return found


_AS_FLASK_ASKS = {"return_rule": True}
