"""From a score to a finished clip: parts are rendered one at a time, mixed, laid over noises, faded and mastered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from generation.audio import SAMPLE_RATE, Floats
from generation.generator import Score
from generation.planning.plan import Plan
from generation.sounding import transitions
from generation.sounding.beds import lay
from generation.sounding.master import Mastered, master
from generation.sounding.mix import Stem, mix
from generation.sounding.renderers import Renderer, kick_notes


def perform(plan: Plan, score: Score, renderer: Renderer) -> Mastered:
    """Return the clip at the target loudness, shape (2, frames).

    Args:
        plan: What the sound should be.
        score: What is played.
        renderer: Who plays.
    """
    stems = rendered(plan, score, renderer)
    music = mix(plan, stems, kick_notes(score.parts))
    lay(music, plan.effects, plan.rng("beds"))
    fade(plan, music)
    return master(music, overwrite=True)


def rendered(plan: Plan, score: Score, renderer: Renderer) -> Iterator[Stem]:
    """Yield each part as sound, one at a time, and last the transitions between sections where there are any."""
    frames = round(plan.seconds * SAMPLE_RATE)
    for part in score.parts:
        yield Stem(role=part.role, patch=part.patch, samples=renderer.play(part, frames))
    found = transitions.events(plan, score)
    if found:
        samples = transitions.render(found, frames, plan.rng("transitions"))
        yield Stem(role="fx", patch="transitions", samples=samples)


def fade(plan: Plan, music: Floats) -> None:
    """Open without a click, let the last chord die away, and fade in slowly where a word asks for it; in place."""
    frames = music.shape[1]
    slow = bool(plan.effects.fade)
    opening = min(frames // 4, int((0.25 * plan.seconds if slow else 0.003) * SAMPLE_RATE))
    # Never from nothing: a clip should be there at once.
    music[:, :opening] *= np.linspace(0.2 if slow else 0.0, 1, opening, dtype=np.float32)
    closing = min(frames // 3, int(min(0.9, 0.11 * plan.seconds) * SAMPLE_RATE))
    curve = np.cos(np.linspace(0, np.pi / 2, closing, dtype=np.float32)) ** 2
    music[:, frames - closing :] *= curve
