"""What one person sees: taste, reasons, lineage, own data, help, about. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.present import made_words
from bot.text import bar, count, fit, quote, shorten
from domain.candidate import Candidate
from domain.fitness import Component, Judgement
from domain.vote import Consent, Grade
from service.generator_state import GeneratorState
from service.views import AboutView, ForMe, LineageView, TasteView, TasteWord, WhyReason, WhyView

FEW_VOTES = 5
"""Votes below which a forecast is a guess, whatever it says of itself."""
CONSENT_WORDS = {
    Consent.UNASKED: "You have not been asked yet: votes count for the channel only.",
    Consent.CHANNEL_ONLY: "You said no to a taste profile: votes count for the channel only.",
    Consent.TASTE: "You said yes: your votes teach a taste of your own.",
    Consent.PAUSED: "Paused: nothing about you is collected.",
}
NO_TASTE = {
    Consent.UNASKED: "There is no taste to show yet. May I learn yours from your votes here? Until then they count for "
    "the channel only.",
    Consent.CHANNEL_ONLY: "There is no taste to show: you said that your votes count for the channel only. You can "
    "change that here.",
    Consent.PAUSED: "There is no taste to show: you paused collection. `/mydata pause` turns it on again.",
}
HELP = """**Tunebreeder breeds music with you.**
**Listen**: press a face on the row of each clip you heard; ⭐ marks the best. Press again to take it back.
**Go on**: rounds close by themselves; **Next** asks for one now. **Vary** keeps the tune of what you \
liked, **Cross** mixes two, **Remix** changes one in your words, **More** has the rest.
**Say it**: mention me, reply to a clip or write to me: “darker, and lose the drums”, “love B”, \
“why?”, “help”.
`/evolve start` begins in this channel; try `vibe: rainy lofi`. With `for: me` it is private.
`/mood` sets energy, happiness, tempo and more with buttons and plays what they give; try `from: B`.
`/duel` puts two clips side by side, blind: one of them gets the trophy.
`/like-this` breeds towards a track that you upload.
`/evolve status` · `next` · `resume` · `stop` · `reset` · `branch` (a thread of your own from any clip)
`/top` the best clips here, and whether new rounds win
`/taste show` what you seem to like · `/taste reset`
`/mydata show` · `export` · `delete` · `pause`
Moderators: `/operators` · `/prompts` tune what a language model is asked; `/health` says how I do.
`/about` what is running, licences and privacy."""
PRIVACY = (
    "I store votes. What you say to me is remembered for an hour and never trained on. A taste profile is made only if "
    "you say yes. "
    "`/mydata` shows, exports, deletes and pauses."
)


def taste_text(view: TasteView) -> str:
    """Return what a taste seems to like, in words, with the evidence it rests on."""
    if view.consent is not Consent.TASTE:
        return NO_TASTE[view.consent]
    lines = [f"**Your taste here**, from {count(view.evidence, 'vote')}"]
    if view.votes_until_shown > 0:
        lines.append(
            f"{count(view.votes_until_shown, 'more vote')} until it counts; until then these are guesses."
        )
    if not view.likes and not view.dislikes:
        lines.append("Nothing stands out yet. Rate a few more clips, disliked ones too.")
    if view.likes:
        lines += ["You seem to like", *_words(view.likes)]
    if view.dislikes:
        lines += ["You seem to avoid", *_words(view.dislikes)]
    if view.liked_families:
        lines.append("By genre family")
        best = sorted(view.liked_families.items(), key=lambda item: -item[1][1])[:6]
        lines += [
            f"`{bar((mean + 1) / 2)}` {name} ({count(votes, 'vote')}, {mean:+.1f})"
            for name, (votes, mean) in best
        ]
    if len(view.trend) > 1:
        lines.append(f"Your ratings, round by round: `{spark(view.trend)}`")
    if view.note:
        lines.append(
            f"What the language model notes of this channel's herd: “{quote(view.note, 400)}”"
        )
    return fit(lines)


def _words(words: Iterable[TasteWord], most: int = 6) -> list[str]:
    shown = list(words)[:most]
    top = max((abs(word.strength) for word in shown), default=0.0) or 1.0
    return [
        f"`{bar(abs(word.strength) / top)}` {word.words} ({word.certainty:.0%} sure)"
        for word in shown
    ]


def spark(values: Iterable[float]) -> str:
    """Draw ratings in [-1, 1] as one line of block characters, the last 40 of them."""
    blocks = "▁▂▃▄▅▆▇█"
    return "".join(blocks[min(7, max(0, int((value + 1) * 4)))] for value in list(values)[-40:])


_PARTS = {
    Component.TASTE: "tastes here",
    Component.TARGET: "like the track",
    Component.ADHERENCE: "as asked",
    Component.NOVELTY: "new",
    Component.PREFERENCE: "what people prefer",
}


def why_text(view: WhyView) -> str:
    """Return why a clip was chosen, for one listener."""
    lines = [f"**Why this clip**: {quote(view.clip.prompt, 160)}"]
    if view.role:
        lines.append(f"It was {view.role}.")
    if view.liking is None:
        lines.append("I have no taste of yours to compare it with.")
    else:
        lines.append(
            f"Chance that you like it: **{view.liking:.0%}**, give or take {view.spread:.0%} "
            f"({_doubt(view)}, from {count(view.evidence, 'vote')} of yours)."
        )
        if not view.reasons:
            lines.append("Nothing that you said speaks clearly for it or against it.")
    lines += [_reason(one) for one in view.reasons[:5]]
    lines += [
        f"· close to “{quote(prompt, 70)}”, which you gave {face_of(rating)}"
        for prompt, rating in view.nearest[:3]
    ]
    lines.append(f"{origin_words(view)} Sound quality {view.clip.quality:.0%}.")
    if view.judgement is not None and view.judgement.fitness is not None:
        lines.append(_judged(view.judgement))
    return fit(lines)


def _judged(judgement: Judgement) -> str:
    """Return what a clip's fitness was made of: every part that counts, with its share."""
    weights = {part: judgement.weights.of(part) for part in judgement.components}
    total = sum(weights.values())
    counted = [
        f"{_PARTS[part]} {value:.2f} (counts {weights[part] / total:.0%})"
        for part, value in judgement.components.items()
        if total and weights[part] > 0
    ]
    made_of = " and ".join(counted) or "nothing that could be measured"
    return (
        f"-# Fitness when it was chosen: {judgement.fitness:.2f}, from {made_of}, "
        f"times {judgement.gate:.2f} for sound that is whole and new."
    )


def _doubt(view: WhyView) -> str:
    """Return how far the forecast is to be trusted."""
    if view.evidence < FEW_VOTES or view.spread > 0.2:
        return "a guess"
    return "fairly sure" if view.spread > 0.1 else "quite sure"


def _reason(one: WhyReason) -> str:
    """Return a reason with the votes behind it."""
    side = "for" if one.strength >= 0 else "against"
    line = f"· {side} it: {one.words} ({sure_words(one.certainty)})"
    if one.alike:
        line += (
            f"; the rated clip most like it in this you {'liked' if one.liked else 'did not like'}"
            if one.alike == 1
            else f"; of the {one.alike} rated clips most like it in this you liked {one.liked}"
        )
    if one.moved:
        moved = " and ".join(
            f"{face_of(rating)} for “{quote(prompt, 40)}”" for prompt, rating in one.moved
        )
        line += f"; mostly from your {moved}"
    return line


def face_of(rating: float) -> str:
    """Return the grade that is nearest to a rating in [-1, 1], as the button that gives it."""
    return min(Grade, key=lambda grade: abs(grade.rating - rating)).emoji


def sure_words(certainty: float) -> str:
    """Return how sure a direction is, its probability being ``certainty`` in [0.5, 1]."""
    if certainty >= 0.95:
        return "quite sure"
    return "fairly sure" if certainty >= 0.8 else "a guess"


def origin_words(view: WhyView) -> str:
    """Return what a clip was bred from, in a sentence."""
    if not view.parents:
        return f"Made from scratch ({view.operator})."
    parents = " and ".join(f"“{quote(parent, 70)}”" for parent in view.parents[:3])
    return f"Bred from {parents} ({view.operator})."


def lineage_text(view: LineageView) -> str:
    """Return the ancestors of a clip, one line each."""
    clip = view.clip
    lines = [f"**Lineage** of gen {clip.generation} · {quote(clip.prompt, 120)}"]
    if not any(candidate.id != clip.candidate_id for candidate in view.ancestors):
        lines.append("It has no parents: it was made from scratch.")
    for candidate in view.ancestors[:16]:
        parents = (
            f" ← {', '.join(f'#{parent}' for parent in candidate.parents)}"
            if candidate.parents
            else ""
        )
        lines.append(
            f"`#{candidate.id}` gen {candidate.generation} · {_operator(candidate)}{parents}"
            f" · {_fit(view, candidate)}{quote(candidate.prompt, 90)}"
        )
    lines.append(
        f"-# Made by {clip.generator} {clip.generator_version}, seed {clip.seed}, licence {clip.licence}"
    )
    return fit(lines)


def _fit(view: LineageView, candidate: Candidate) -> str:
    fitness = view.fitness.get(candidate.id)
    return "" if fitness is None else f"fitness {fitness:.2f} · "


def _operator(candidate: Candidate) -> str:
    changes = made_words(candidate)
    return f"{candidate.operator}: {changes}" if changes else candidate.operator


def for_me_text(view: ForMe) -> str:
    """Return what goes with the clip that one listener is expected to like most."""
    sure = f"Chance that you like it: **{view.liking:.0%}**, from {count(view.evidence, 'vote')} of yours."
    return fit(
        [f"**For you**: {quote(view.clip.prompt, 200)}", sure, view.note]
        if view.note
        else [f"**For you**: {quote(view.clip.prompt, 200)}", sure]
    )


HELD = {
    "consents": (
        "answer to whether I may learn your taste",
        "answers to whether I may learn your taste",
    ),
    "votes": ("vote", "votes"),
    "duel_votes": ("vote on a duel", "votes on duels"),
    "duels_started": ("duel that you started", "duels that you started"),
    "tastes": ("version of your taste", "versions of your taste"),
    "debts": (
        "note of how often your taste lost in a run",
        "notes of how often your taste lost in a run",
    ),
    "predictions": ("forecast of what you like", "forecasts of what you like"),
    "kept": ("clip that you kept", "clips that you kept"),
    "mood_panels": ("panel of /mood", "panels of /mood"),
    "chat_turns": (
        "thing that you said to me in the last hour",
        "things that you said to me in the last hour",
    ),
    "tuned": ("change to operators or prompts", "changes to operators or prompts"),
    "targets": ("track that you had me breed towards", "tracks that you had me breed towards"),
    "runs_started": ("run that you started", "runs that you started"),
    "private_duels": ("duel just for you", "duels just for you"),
    "private_runs": ("run just for you", "runs just for you"),
    "private_generations": ("round just for you", "rounds just for you"),
    "private_candidates": ("prompt just for you", "prompts just for you"),
    "private_clips": ("clip just for you", "clips just for you"),
    "private_judgements": ("score of those clips", "scores of those clips"),
    "private_posts": ("post of those clips", "posts of those clips"),
    "judgements": ("score that your taste went into", "scores that your taste went into"),
    "priors": (
        "average of tastes here, which is learned again",
        "averages of tastes, which are learned again",
    ),
    "rewards": (
        "ranking of what people prefer, which is learned again",
        "rankings, which are learned again",
    ),
}
"""What is held about somebody, by its key in the export, in words: one of it, and several."""


def held_words(name: str, number: int) -> str:
    """Return what is held under a key of the export, such as ``"3 votes"``."""
    one, many = HELD.get(name, (name.replace("_", " "),) * 2)
    return count(number, one, many)


def my_data_text(consent: Consent, export: Mapping[str, Any]) -> str:
    """Return a summary of everything held about a person."""
    lines = ["**What I hold about you**", CONSENT_WORDS[consent]]
    held = {
        key: len(value) for key, value in export.items() if isinstance(value, (list, tuple, dict))
    }
    lines += [f"· {held_words(key, number)}" for key, number in held.items() if number]
    if any(held.values()):
        lines.append("`/mydata export` gives all of it as a file; `/mydata delete` erases it.")
    else:
        lines.append("Nothing else is held about you.")
    return fit(lines)


def erased_text(counts: Mapping[str, int]) -> str:
    """Return what was deleted."""
    gone = " · ".join(held_words(name, number) for name, number in counts.items() if number)
    return (
        f"Deleted: {gone}. Nothing about you is left here."
        if gone
        else "There was nothing about you to delete."
    )


def licence_words(generator: GeneratorState) -> str:
    """Return under which licence a generator plays, and whether that allows commercial use."""
    use = "commercial use allowed" if generator.commercial else "no commercial use"
    if not generator.info.version and not generator.info.licence:
        return "it has not said yet under which licence it plays; ask again in a minute"
    return f"{generator.info.licence or 'licence not known'} ({use})"


def about_text(view: AboutView) -> str:
    """Return what is running, which defaults stand in, the licences and the privacy summary."""
    lines = [
        f"**Tunebreeder {view.version}** breeds music from your votes. All clips are machine-made."
    ]
    lines += [f"· {part}: {shorten(what, 120)}" for part, what in view.parts.items()]
    lines += [f"· {sentence}" for sentence in view.stand_ins]
    licences = [f"{one.info.name}: {licence_words(one)}" for one in view.generators]
    licences += [f"{part}: {licence}" for part, licence in view.licences.items()]
    if len(view.generators) > 1:
        lines.append(
            "A run may choose what plays (`/evolve start`, `generator`): "
            + ", ".join(one.info.name for one in view.generators)
        )
    if licences:
        lines.append("Licences: " + "; ".join(licences))
    lines.append(f"Privacy: {PRIVACY}")
    return fit(lines)
