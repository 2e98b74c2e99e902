from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from domain.facets import Facets
from prompts.reader import read
from scoring.adherence import by_properties, by_text, segments, tempo_match
from scoring.features import FeatureEncoder
from tests.scoring.synth import Piece, play

RATE = 22050
DONE = {
    "family": "lofi",
    "tempo": 80.0,
    "tonic": "G",
    "mode": "dorian",
    "metre": [4, 4],
    "energy": 0.3,
    "density": 0.4,
    "brightness": 0.3,
    "valence": 0.5,
    "instruments": {"bass": ["sub_bass"], "lead": ["rhodes"]},
    "ignored": ["kazoo"],
}


def test_segments_are_about_ten_seconds():
    assert segments(8 * RATE, RATE) == [slice(0, 8 * RATE)]
    assert segments(14 * RATE, RATE) == [slice(0, 14 * RATE)]
    thirds = segments(30 * RATE, RATE)
    assert [one.stop - one.start for one in thirds] == [10 * RATE] * 3
    assert thirds[-1].stop == 30 * RATE


def test_the_cosine_of_words_and_sound_is_brought_to_0_to_1():
    said = np.array([1.0, 0.0], np.float32)

    def of(*cosines: float) -> float:
        windows = [[one, math.sqrt(1.0 - one**2)] for one in cosines]
        return by_text(said, np.mean(windows, axis=0).astype(np.float32))

    assert of(0.1, 0.3, 0.5) == pytest.approx(0.6)
    assert of(-0.4) == 0.0
    assert of(0.9) == 1.0
    assert math.isnan(by_text(said, np.array([math.nan, 0.0])))


def test_a_tempo_an_octave_off_is_half_right():
    assert tempo_match(120, 120) == 1.0
    assert 0.4 < tempo_match(120, 60) < 0.7
    assert tempo_match(120, 126) > 0.6
    assert tempo_match(120, 150) < 0.2
    assert tempo_match(40, 200) == 0.0


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("lofi in G dorian at 80 bpm in 4/4", 1.0, 1.0),
        ("lofi in G minor", 0.8, 0.9),
        ("techno", 0.0, 0.0),
        ("lofi in 3/4", 0.5, 0.5),
        ("lofi with kazoo", 0.5, 1.0),
        ("lofi without bass", 0.5, 0.5),
        ("lofi without drums", 1.0, 1.0),
    ],
)
def test_what_was_composed_is_compared_with_what_was_asked(space, asked, least, most):
    got = by_properties(read(asked), DONE, np.zeros((0, space.dimensions)), space)
    assert least - 1e-9 <= got <= most + 1e-9


def test_what_is_not_asked_for_is_not_missed(space):
    none = np.zeros((0, 1))
    assert math.isnan(by_properties(Facets(), DONE, none, space))
    assert math.isnan(by_properties(read("something with soul in it, friend"), {}, none, space))


def test_what_is_measured_counts_where_nothing_is_described(space):
    clip = play(Piece(tempo=150.0, drums=0.9), seed=3, seconds=8.0, rate=RATE)
    heard = FeatureEncoder().encode(clip, RATE)
    right = by_properties(Facets(tempo=150.0), {}, heard, space)
    wrong = by_properties(Facets(tempo=105.0), {}, heard, space)
    assert right > wrong + 0.3
    promised = by_properties(Facets(tempo=105.0), {"tempo": 105.0}, heard, space)
    assert wrong < promised < 1.0  # a generator may promise what nobody hears


def test_damaged_accounts_are_read_as_far_as_they_go(space):
    strange = {
        "tempo": "fast",
        "family": 3,
        "metre": 4,
        "energy": True,
        "density": 10**400,
        "instruments": ["x"],
        "ignored": None,
    }
    asked = Facets(
        tempo=100.0, family="lofi", metre=(4, 4), energy=0.5, density=0.5, instruments=("flute",)
    )
    assert math.isnan(by_properties(asked, strange, np.zeros((0, 1)), space))


CODE = """
import numpy as np
from domain.facets import Facets
from scoring.adherence import by_properties
for step in range(40):
    asked = Facets(tempo=100.0, family="lofi", energy=step / 41, density=step / 43, valence=step / 47, mode="minor")
    told = {"tempo": 103.7, "family": "lofi", "energy": 0.2, "density": 0.3, "valence": 0.4, "mode": "dorian"}
    print(by_properties(asked, told, np.zeros((0, 1)), None).hex())
"""


def test_every_process_adds_up_in_the_same_order():
    said = {
        subprocess.run(  # our own interpreter and code
            [sys.executable, "-c", CODE],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
