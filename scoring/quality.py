"""The gate in front of taste: is this clip whole? A multiplicative score that never rewards anything.

Each defect is measured (``scoring.defects``), put through a soft hinge with a dead zone that music stays in, and takes
its share of the score. High frequencies, cymbals and noise as a colour are nobody's defect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring import defects, spoilt, stuck
from scoring.encoder import Floats, checked
from scoring.spectra import spectrogram
from scoring.windows import pieces

BROKEN = 0.35
"""Below this score a clip is never posted."""
AUDIBLE = 1e-3
"""RMS below which a clip counts as silent (-60 dBFS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the gate found.

    Attributes:
        score: In [0, 1]; 1 is whole.
        defects: Strength in (0, 1] of each defect found, by name, the strongest first.
    """

    score: float
    defects: Mapping[str, float]

    @property
    def usable(self) -> bool:
        """Whether the clip may be posted."""
        return self.score >= BROKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hinge:
    """From 0 at ``start`` to 1 at ``full``; at full strength the defect leaves ``left`` of the score."""

    start: float
    full: float
    left: float

    def strength(self, amount: float) -> float:
        """Return the strength in [0, 1], smooth at both ends."""
        share = min(1.0, max(0.0, (amount - self.start) / (self.full - self.start)))
        return share * share * (3.0 - 2.0 * share)


HINGES: Mapping[str, _Hinge] = {
    "silence": _Hinge(start=0.4, full=0.85, left=0.02),
    "quiet": _Hinge(start=34.0, full=50.0, left=0.1),
    "clipping": _Hinge(start=0.0002, full=0.04, left=0.15),
    "offset": _Hinge(start=0.05, full=0.35, left=0.15),
    "clicks": _Hinge(start=0.2, full=5.0, left=0.15),
    "gaps": _Hinge(start=0.002, full=0.12, left=0.1),
    "cut": _Hinge(start=-15.0, full=-4.0, left=0.6),
    "hum": _Hinge(start=-29.0, full=-8.0, left=0.15),
    "hiss": _Hinge(start=-29.0, full=-3.0, left=0.15),
    "flatness": _Hinge(start=0.36, full=0.52, left=0.05),
    "codec": _Hinge(start=17.0, full=30.0, left=0.2),
    "stuck": _Hinge(start=0.15, full=0.7, left=0.1),
    "lifeless": _Hinge(start=-1.05, full=-0.75, left=0.1),
    "cancellation": _Hinge(start=0.58, full=0.95, left=0.2),
}
"""The dead zones are measured on the composer of version 0.1.0: of 78 clips of 6 s (39 families, seeds 0 and 1 of
``bench.scoring_clips``), 76 lie inside all of them, and two are brushed by "clicks", at 0.33 a second, which leaves
0.996 of their score."""


def assess(samples: NDArray[Any], sample_rate: int) -> Quality:
    """Return how whole a clip is; a long one is as whole as its worst half minute.

    A clip without samples or with samples that are not finite is what the gate is there to stop: it scores 0.

    Args:
        samples: (frames,) or (frames, channels), nominally in [-1, 1].
        sample_rate: In Hz.

    Raises:
        ScoringError: This is no audio at all: a wrong shape, type or rate.
    """
    given = np.asarray(samples)
    if given.size == 0:
        return Quality(score=0.0, defects={"empty": 1.0})
    if np.issubdtype(given.dtype, np.floating) and not np.isfinite(given).all():
        return Quality(score=0.0, defects={"not_finite": 1.0})
    if np.issubdtype(given.dtype, np.signedinteger):
        given = given / np.float32(-float(np.iinfo(given.dtype).min))
    audio = checked(given, sample_rate)
    mono = defects.mixed(audio)
    level = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
    if level < AUDIBLE:
        return Quality(score=0.0, defects={"silence": 1.0})
    # Only the whole clip begins and ends; its pieces are cut anywhere.
    ends = {"cut": defects.cut(audio, sample_rate)}
    found = [
        _combine(_amounts(audio[part], mono[part], sample_rate) | ends)
        for part in pieces(len(audio), sample_rate)
    ]
    return min(found, key=lambda one: one.score)


def _amounts(audio: Floats, mono: Floats, sample_rate: int) -> dict[str, float]:
    cancelled = defects.cancellation(audio, sample_rate)
    heard = audio[:, 0] if cancelled > 0.9 else mono
    spectra = spectrogram(heard, sample_rate, window=2048 / 44100, hop=1024 / 44100)
    return {
        "silence": defects.silence(heard, sample_rate),
        "quiet": defects.quiet(heard, sample_rate),
        "clipping": defects.clipping(audio),
        "offset": defects.offset(heard),
        "clicks": defects.clicks(heard, sample_rate),
        "gaps": defects.gaps(heard, sample_rate),
        "hum": spoilt.hum(heard, sample_rate),
        "hiss": spoilt.hiss(spectra),
        "flatness": spoilt.flatness(spectra),
        "codec": spoilt.edge(spectra),
        "stuck": stuck.frozen(heard, sample_rate),
        "lifeless": -stuck.movement(spectra),
        "cancellation": cancelled,
    }


def _combine(amounts: Mapping[str, float]) -> Quality:
    score, found = 1.0, {}
    for name, amount in amounts.items():
        hinge = HINGES[name]
        strength = hinge.strength(amount)
        if strength > 0.0:
            found[name] = strength
            score *= hinge.left**strength
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return Quality(score=float(score), defects=dict(ordered))
