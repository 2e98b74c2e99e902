"""What a searcher is told beside numbers: the channel's tastes and what was said lately, in plain words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from domain.candidate import Evaluation
from domain.ids import GuildId
from evolution.language.kit import LanguageKit
from scoring.space import TasteSpace
from scoring.taste import FAINT, describe
from service.voices import Voice

Kits = Callable[[GuildId], Awaitable[LanguageKit | None]]
"""Gives what language searchers of a server breed with; ``None`` where no model is set up."""

WORDS = 8
"""Properties in which the tastes of a channel are told."""
CERTAIN = 0.6
"""How sure a taste must be of a property before it is told."""
MOST_VOICES = 16
"""Tastes that are read, those with the most evidence: each takes half a millisecond of the event loop."""
SPOKEN = 3
"""Clips that were liked, and as many that were not, that are told."""
LATELY = 3
"""Rounds that count as lately."""
_LIKED, _DISLIKED = 0.6, 0.4


async def no_kits(_guild_id: GuildId) -> LanguageKit | None:
    """Give nothing: there is no language model."""
    return None


def taste_words(voices: Sequence[Voice], space: TasteSpace) -> tuple[str, ...]:
    """Return what those who steer a channel like on the whole, strongest first, such as ``"slower"``.

    It is made from tastes alone, never from what people wrote; who has more evidence does not count for more.
    """
    total: dict[str, float] = defaultdict(float)
    chosen = sorted(voices, key=lambda voice: -voice.evidence)[:MOST_VOICES]
    for voice in chosen:
        for reason in describe(voice.taste, space):
            if reason.certainty >= CERTAIN and abs(reason.contribution) >= FAINT:
                total[reason.words] += abs(reason.contribution) * (2.0 * reason.certainty - 1.0)
    order = sorted(total, key=lambda words: (-total[words], words))
    return tuple(order[:WORDS])


def feedback_words(evaluations: Sequence[Evaluation], generation: int) -> tuple[str, ...]:
    """Return which clips of the last rounds people liked and disliked, best first, as short sentences.

    Args:
        evaluations: The rescored archive.
        generation: The run's latest.
    """
    lately = [
        one for one in evaluations if one.rated and one.candidate.generation > generation - LATELY
    ]
    lately.sort(key=lambda one: (-one.components.get("observed", 0.0), one.candidate.id))
    liked = [one for one in lately if one.components.get("observed", 0.5) > _LIKED]
    disliked = [one for one in lately if one.components.get("observed", 0.5) < _DISLIKED]
    return (
        *(_said("liked", one) for one in liked[:SPOKEN]),
        *(_said("disliked", one) for one in disliked[-SPOKEN:]),
    )


def _said(word: str, evaluation: Evaluation) -> str:
    raters = int(evaluation.components.get("raters", 1.0))
    people = "1 person" if raters == 1 else f"{raters} people"
    return f"{word} by {people}: {evaluation.candidate.prompt[:200]}"
