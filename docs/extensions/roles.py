"""A griffe extension: Sphinx's roles in docstrings, ``:func:`go```, become links of the site."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):`~?([\w.]+)`")


class Roles(griffe.Extension):
    """Resolves each role's name as Python would at the place where it stands."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Go through the whole package, once it is loaded."""
        _visit(pkg)


def _visit(place: griffe.Object) -> None:
    if place.docstring is not None:
        text = place.docstring.value
        place.docstring.value = ROLE.sub(lambda found: _link(place, found[1]), text)
    for member in place.members.values():
        if isinstance(member, griffe.Object):
            _visit(member)


def _link(place: griffe.Object, name: str) -> str:
    # Optional: what the site does not describe is shown as code.
    return f'<autoref optional identifier="{_resolve(place, name)}">`{name}`</autoref>'


def _resolve(place: griffe.Object, name: str) -> str:
    try:
        return place.resolve(name)
    except griffe.NameResolutionError:
        return name
