"""Hidden tastes of synthetic listeners: what they love, how sure they are, and how they would vote.

A taste is a place in the space of heard properties (``playground.hearing``) with a width for each property: the nearer
a clip, the more it is liked. That is not linear in anything a learner measures, as real tastes are not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from playground.hearing import PROPERTIES, Heard

BANK = Path(__file__).with_name("bank.json")
STEEPNESS = 3.0
"""Log odds lost for each width that a clip lies further from the centre of a taste."""
WHIM = 0.7
"""Standard deviation of a listener's mood about a clip, in log odds."""
LOVE, GOOD, MEH = 1.5, 0.0, -1.5
"""Log odds from which each grade is given."""
WORDS: Mapping[str, tuple[str, str]] = {
    "tempo": ("slow", "fast"),
    "pulse": ("free of beat", "with a strong beat"),
    "busyness": ("sparse", "busy"),
    "brightness": ("dark", "bright"),
    "bass": ("light in bass", "heavy in bass"),
    "punch": ("even", "punchy"),
    "noisiness": ("pure in tone", "noisy"),
    "body": ("thin", "full-bodied"),
    "air": ("closed", "airy"),
    "sustain": ("choppy", "flowing"),
}
CHARACTERS: Mapping[str, Mapping[str, float]] = {
    "Dusk": {"tempo": -1.0, "brightness": -0.9, "busyness": -0.7},
    "Spark": {"tempo": 0.9, "brightness": 0.9, "pulse": 0.6},
    "Boom": {"bass": 1.0, "pulse": 0.8, "punch": 0.7},
    "Mist": {"busyness": -1.1, "pulse": -0.9, "punch": -0.6},
    "Rush": {"tempo": 1.1, "busyness": 1.0},
    "Glass": {"brightness": 1.0, "bass": -0.9, "noisiness": -0.6},
    "Ember": {"brightness": -0.8, "bass": 0.7, "tempo": -0.4},
    "Grit": {"noisiness": 1.0, "punch": 0.6, "brightness": 0.5},
}
"""Named characters: the place of their taste, in standard deviations from the middle of all music."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """What music from here sounds like: clips of the built-in composer, measured once (``python -m bench.bank``).

    Attributes:
        mean: (p,) of the heard properties.
        deviation: (p,).
        heard: (n, p).
        families: Genre family of each row.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    heard: NDArray[np.float64]
    families: tuple[str, ...]

    def standard(self, heard: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return properties in standard deviations from the middle."""
        return (heard - self.mean) / self.deviation


@cache
def shipped_bank() -> Bank:
    """Return the bank that comes with the playground."""
    data = json.loads(BANK.read_text(encoding="utf-8"))
    if tuple(data["properties"]) != PROPERTIES:
        raise ValueError(
            f"{BANK.name} was measured with other properties; run python -m bench.bank"
        )
    heard = np.array([row["heard"] for row in data["clips"]], dtype=np.float64)
    return Bank(
        mean=heard.mean(axis=0),
        deviation=heard.std(axis=0) + 1e-9,
        heard=heard,
        families=tuple(row["family"] for row in data["clips"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenTaste:
    """A taste to be found out.

    Attributes:
        name: What it is called.
        centre: (p,) in standard deviations.
        width: (p,) in standard deviations; infinite where the property does not matter.
        reach: Distance from the centre, in widths, at which a clip is liked as often as not.
        words: What it loves, in words.
    """

    name: str
    centre: NDArray[np.float64]
    width: NDArray[np.float64]
    reach: float
    words: str

    def distance(self, standard: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far clips (n, p) are from the centre, in widths (root mean square over what matters)."""
        off = (standard - self.centre) / self.width
        used = max(1, int(np.isfinite(self.width).sum()))
        return np.asarray(np.sqrt((off**2).sum(axis=-1) / used))

    def log_odds(self, standard: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log odds that clips (n, p) are liked, before the mood of the moment."""
        return np.asarray(STEEPNESS * (self.reach - self.distance(standard)))

    def probability(self, standard: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability that clips (n, p) are liked, moods averaged out (MacKay's approximation)."""
        return np.asarray(
            1 / (1 + np.exp(-self.log_odds(standard) / np.sqrt(1 + np.pi * WHIM**2 / 8)))
        )

    def likes(self, heard: Heard, bank: Bank) -> float:
        """Return the probability that a clip is liked, moods averaged out."""
        return float(self.probability(bank.standard(heard.vector())[None, :])[0])

    def grade(self, heard: Heard, bank: Bank, rng: np.random.Generator) -> tuple[int, float]:
        """Return a grade from 0 (awful) to 3 (love), and the felt log odds."""
        felt = (
            float(self.log_odds(bank.standard(heard.vector())[None, :])[0])
            + WHIM * rng.standard_normal()
        )
        return int((felt > MEH) + (felt > GOOD) + (felt > LOVE)), felt


def character(
    name: str, bank: Bank, rng: np.random.Generator, generosity: float = 0.25
) -> HiddenTaste:
    """Return a named character with a little of their own.

    Args:
        name: A key of ``CHARACTERS``.
        bank: What music sounds like here.
        rng: Moves the taste a little.
        generosity: Mean probability of liking a clip of the bank.
    """
    place = CHARACTERS[name]
    centre = np.zeros(len(PROPERTIES))
    width = np.full(len(PROPERTIES), np.inf)
    for key, value in place.items():
        column = PROPERTIES.index(key)
        centre[column] = value + 0.2 * rng.standard_normal()
        width[column] = 0.8
    words = "likes it " + ", ".join(_word(key, value) for key, value in place.items())
    return _calibrated(name, centre, width, words, bank.standard(bank.heard), generosity)


def genre_lover(
    family: str, bank: Bank, rng: np.random.Generator, devotion: float = 0.75
) -> HiddenTaste:
    """Return a listener who loves what one genre family sounds like here, by ear alone.

    Args:
        family: One that the bank has clips of.
        bank: What music sounds like here.
        rng: Moves the taste a little.
        devotion: Mean probability of liking a clip of the family. What sounds alike is liked too.

    Raises:
        ValueError: The bank has no clip of the family.
    """
    own = bank.standard(bank.heard[[one == family for one in bank.families]])
    if not len(own):
        raise ValueError(f"the bank has no clips of {family}")
    centre = own.mean(axis=0) + 0.1 * rng.standard_normal(own.shape[1])
    width = np.clip(own.std(axis=0), 0.35, 1.5)
    words = f"loves what {family.replace('_', ' ')} sounds like"
    return _calibrated(family, centre, width, words, own, devotion)


def crowd(count: int, bank: Bank, rng: np.random.Generator) -> list[HiddenTaste]:
    """Return ``count`` characters, different ones as long as there are."""
    names: list[str] = []
    while len(names) < count:
        names += [str(name) for name in rng.permutation(list(CHARACTERS))]
    return [character(name, bank, rng) for name in names[:count]]


def _calibrated(
    name: str,
    centre: NDArray[np.float64],
    width: NDArray[np.float64],
    words: str,
    standard: NDArray[np.float64],
    share: float,
) -> HiddenTaste:
    """Return a taste whose reach makes it like clips (n, p) with the probability ``share`` on average."""
    low, high = -5.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        taste = HiddenTaste(name=name, centre=centre, width=width, reach=middle, words=words)
        if taste.probability(standard).mean() < share:
            low = middle
        else:
            high = middle
    return taste


def _word(key: str, value: float) -> str:
    low, high = WORDS[key]
    return high if value > 0 else low
