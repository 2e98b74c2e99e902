"""One mistake in a long word is mended, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.reader import interpret, read
from prompts.spelling import index_of, mended
from prompts.vocabulary import plain_words, shipped

WORDS = ("melancholy", "synthwave", "guitar", "orchestral", "saxophone", "drums")
_INDEX = index_of(WORDS)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@st.composite
def mistakes(draw):
    word = draw(st.sampled_from([word for word in WORDS if len(word) > 5]))
    place = draw(st.integers(1, len(word) - 2))
    letter = draw(st.sampled_from(_LETTERS))
    kind = draw(st.sampled_from(["added", "left out", "changed", "swapped"]))
    head, tail = word[:place], word[place:]
    wrong = {
        "added": head + letter + tail,
        "left out": head + tail[1:],
        "changed": head + letter + tail[1:],
        "swapped": head + tail[1] + tail[0] + tail[2:],
    }[kind]
    return word, wrong


@given(mistakes())
def test_one_mistake_is_mended(pair):
    word, wrong = pair
    assert wrong == word or mended(wrong, _INDEX) == word


@given(st.text(_LETTERS, max_size=12))
def test_whatever_is_mended_lies_one_edit_away(word):
    found = mended(word, _INDEX)
    if found is not None:
        assert found[0] == word[0]
        assert abs(len(found) - len(word)) <= 1
        assert len(set(found) ^ set(word)) <= 2


@pytest.mark.parametrize("word", ["gitter", "drms", "melncholl", "uitar", "xyzzyx", "", "dr", "42"])
def test_more_mistakes_short_words_and_first_letters_are_left_alone(word):
    assert mended(word, _INDEX) is None


@pytest.mark.parametrize(
    "word", ["horse", "basement", "class", "glass", "player", "stone", "garden", "table", "water"]
)
def test_other_words_are_no_misspellings(word):
    assert read(word).unknown == (word,)


def test_plain_words_are_none_of_the_vocabulary():
    assert not {word for word in plain_words() if word in shipped().phrases}


def test_what_was_mended_is_reported_and_not_unknown():
    reading = interpret("peacful guitarr with a blorp")
    assert dict(reading.read_as) == {"peacful": "peaceful", "guitarr": "guitar"}
    assert reading.facets.unknown == ("blorp",)
    assert reading.facets.moods == ("peaceful",)
