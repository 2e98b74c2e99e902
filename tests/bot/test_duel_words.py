from __future__ import annotations

import pytest

from bot.duel_words import (
    duel_alt_text,
    duel_receipt_text,
    duel_text,
    verdict_text,
    verdict_title,
)
from domain.duel import Choice
from domain.ids import ListenerId
from domain.run import CloseReason
from domain.vote import Consent
from service.duel_views import DuelReceipt, Tally
from tests.bot.fakes import PROMPTS, duel_view, make_clip, make_duel, verdict_view


def receipt(**changes):
    values = {
        "duel": make_duel(),
        "choice": Choice.A,
        "late": False,
        "consent": Consent.TASTE,
        "votes_until_taste": 3,
    }
    return DuelReceipt(**{**values, **changes})


def test_a_duel_says_nothing_about_its_clips():
    text = duel_text(duel_view())
    assert text.startswith("⚔️ **Duel 1** ·")
    assert "<t:1800000000:R>" in text
    assert "2 listeners" in text
    assert "AI-made music" in text
    for view in (duel_view(), duel_view(closes_at=None)):
        said = duel_text(view) + duel_alt_text(view.duel, view.clips[0].clip)
        said += "".join(one.filename for one in view.clips)
        assert not any(word in said for word in ("techno", "chiptune", "84", "lofi"))


def test_a_duel_for_one_says_so():
    view = duel_view(duel=make_duel(for_listener=ListenerId(7)), closes_at=None)
    assert "just for you" in duel_text(view)
    assert "Decided when" in duel_text(view)


def test_a_verdict_tells_who_won_by_how_much_and_where_the_clips_come_from():
    text = verdict_text(verdict_view())
    assert text.startswith(verdict_title(make_duel()))
    assert "🏆 **A** won by 3 to 1" in text
    assert "slow \\*dub\\* techno" in text
    assert "vary of “warm lofi with brushes”" in text
    assert "1 tie · 2 listeners found both bad" in text
    assert "enough of you voted" in text


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        (Tally(a=0, b=0, ties=0, bad=0), "nobody voted"),
        (Tally(a=1, b=1, ties=2, bad=0), "a tie, 1 to 1"),
        (Tally(a=1, b=0, ties=0, bad=2), "most found both bad"),
        (Tally(a=1, b=2, ties=0, bad=3), "**B** won by 2 to 1"),
    ],
)
def test_every_outcome_has_words(tally, words):
    for reason in CloseReason:
        assert words in verdict_text(verdict_view(tally=tally, reason=reason))


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice.A, "**A** is better"),
        (Choice.B, "**B** is better"),
        (Choice.TIE, "neither is better"),
        (Choice.BAD, "both are bad"),
        (None, "none: not given, or taken back"),
    ],
)
def test_a_receipt_tells_what_stands_and_nothing_about_the_clips(choice, words):
    text = duel_receipt_text(receipt(choice=choice))
    assert words in text
    assert "3 more votes" in text
    assert not any(prompt in text for prompt in PROMPTS)


def test_a_late_receipt_tells_what_they_were():
    late = receipt(late=True, prompts=(make_clip(12, 2).prompt, make_clip(13, 3).prompt))
    assert "**B** bright chiptune" in duel_receipt_text(late)
    assert "still counts" in duel_receipt_text(late)


def test_a_first_receipt_asks_for_consent():
    assert "May I learn" in duel_receipt_text(receipt(consent=Consent.UNASKED))
    assert "May I learn" not in duel_receipt_text(receipt(consent=Consent.CHANNEL_ONLY))
