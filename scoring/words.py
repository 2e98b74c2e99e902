"""Plain words for what the encoder measures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How to speak of a property.

    Attributes:
        label: Its name.
        low: What less of it is called, as a comparative: "slower".
        high: What more of it is called: "faster".
        middle: What lies between: "medium tempo".
    """

    label: str
    low: str
    high: str
    middle: str


WORDS = {
    "tempo": Words(label="tempo", low="slower", high="faster", middle="a medium tempo"),
    "pulse": Words(
        label="pulse", low="freer in rhythm", high="steadier in rhythm", middle="a loose beat"
    ),
    "onset_rate": Words(
        label="busyness", low="sparser", high="busier", middle="a moderate number of notes"
    ),
    "onset_strength": Words(
        label="attack", low="softer in attack", high="sharper in attack", middle="a medium attack"
    ),
    "swing": Words(label="swing", low="straighter", high="more swung", middle="a light swing"),
    "percussive": Words(
        label="drums", low="less percussive", high="more percussive", middle="some percussion"
    ),
    "brightness": Words(
        label="brightness", low="darker", high="brighter", middle="a balanced brightness"
    ),
    "bass": Words(
        label="bass",
        low="lighter in the bass",
        high="heavier in the bass",
        middle="a moderate bass",
    ),
    "warmth": Words(label="warmth", low="leaner", high="warmer", middle="a moderate warmth"),
    "air": Words(label="air", low="duller on top", high="airier", middle="a little air"),
    "noisiness": Words(label="grain", low="purer in tone", high="noisier", middle="a little grain"),
    "dynamics": Words(
        label="dynamics",
        low="more even",
        high="more changing in loudness",
        middle="moderate dynamics",
    ),
    "crest": Words(label="punch", low="smoother", high="punchier", middle="a moderate punch"),
    "width": Words(label="width", low="narrower", high="wider", middle="a medium width"),
    "flutter": Words(
        label="flutter", low="calmer", high="more fluttering", middle="a little flutter"
    ),
    "major": Words(label="mode", low="minor", high="major", middle="between major and minor"),
    "key_strength": Words(
        label="key", low="vaguer in key", high="clearer in key", middle="a fairly clear key"
    ),
    "harmonic_change": Words(
        label="harmony",
        low="steadier in harmony",
        high="richer in chord changes",
        middle="some chord changes",
    ),
    "roughness": Words(
        label="roughness", low="smoother in tone", high="rougher", middle="a little roughness"
    ),
    "register": Words(
        label="register", low="lower in pitch", high="higher in pitch", middle="a middle register"
    ),
    "focus": Words(
        label="notes",
        low="more colourful in its notes",
        high="simpler in its notes",
        middle="a few colours",
    ),
}
"""Words for each interpretable measure of ``scoring.features.NAMED``."""

OVERALL = Words(label="overall sound", low="unlike", high="like", middle="in between")
"""Words for components that have no name of their own."""


def kind_words(kind: str) -> Words:
    """Return how to speak of a kind of music, such as ``"drum_and_bass"``."""
    plain = kind.replace("_", " ")
    return Words(
        label="kind",
        low=f"unlike {plain}",
        high=f"sounds like {plain}",
        middle=f"a bit like {plain}",
    )
