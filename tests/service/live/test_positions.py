"""Positions as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.chat.live.positions import parse, text
from service.errors import InvalidInput

NUMBERS = st.integers(0, 2**53 - 1)


@given(st.dictionaries(NUMBERS, NUMBERS, max_size=50))
def test_a_text_says_the_positions_it_was_made_from(positions: dict[int, int]) -> None:
    """What a client is given is what it gives back."""
    assert parse(text(positions)) == positions


@pytest.mark.parametrize(
    "wrong", ["1", "1-", "-1", "1-2.", ".1-2", "1-2,3-4", "a-b", "1--2", "1-2-3", "9" * 17 + "-1"]
)
def test_other_texts_are_refused(wrong: str) -> None:
    """A position that cannot be read is an error, and not a stream that starts anywhere."""
    with pytest.raises(InvalidInput):
        parse(wrong)
