from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot import text


@settings(deadline=None)
@given(st.text(max_size=400), st.integers(min_value=2, max_value=100))
def test_shortened_text_is_one_line_within_the_limit(words, limit):
    short = text.shorten(words, limit)
    assert len(short) <= limit
    assert "\n" not in short


def test_words_are_not_cut_in_half():
    assert text.shorten("warm lofi with brushed drums", 20) == "warm lofi with…"
    assert text.shorten("short", 20) == "short"


def test_markdown_and_mentions_are_harmless():
    assert text.quote("**bold** @everyone <@1> `x`", 80) == (
        "\\*\\*bold\\*\\* \\@everyone \\<\\@1\\> \\`x\\`"
    )


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), max_size=30))
def test_fitted_text_is_within_the_limit_of_a_message(lines):
    assert len(text.fit(lines)) <= text.MESSAGE_LIMIT


def test_a_message_that_fits_is_whole():
    assert text.fit(["a", "b"]) == "a\nb"


def test_small_words():
    assert text.letter(1) == "A"
    assert text.count(1, "vote") == "1 vote"
    assert text.count(0, "vote") == "0 votes"
    assert text.bar(0.5, 4) == "██░░"
    assert (text.duration(8), text.duration(1200), text.duration(7200)) == ("8 s", "20 min", "2 h")
