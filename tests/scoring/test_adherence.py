from __future__ import annotations

import math

import numpy as np
import pytest

from domain.facets import Facets
from prompts.reader import read
from scoring.adherence import JointModel, by_model, by_properties, segments, tempo_match
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


class Hears:
    """A model of text and audio that answers from a list."""

    def __init__(self, *cosines: float) -> None:
        self.cosines = list(cosines)
        self.lengths: list[int] = []

    def similarity(self, prompt, samples, sample_rate):
        self.lengths.append(len(samples))
        return self.cosines.pop(0)


def test_segments_are_about_ten_seconds():
    assert segments(8 * RATE, RATE) == [slice(0, 8 * RATE)]
    assert segments(14 * RATE, RATE) == [slice(0, 14 * RATE)]
    thirds = segments(30 * RATE, RATE)
    assert [one.stop - one.start for one in thirds] == [10 * RATE] * 3
    assert thirds[-1].stop == 30 * RATE


def test_a_model_is_asked_for_every_segment_and_brought_to_0_to_1():
    model = Hears(0.1, 0.3, 0.5)
    assert by_model(model, "lofi", np.zeros((30 * RATE, 2)), RATE) == pytest.approx(0.6)
    assert model.lengths == [10 * RATE] * 3
    assert by_model(Hears(-0.4), "lofi", np.zeros(RATE), RATE) == 0.0
    assert by_model(Hears(0.9), "lofi", np.zeros(RATE), RATE) == 1.0
    assert math.isnan(by_model(Hears(math.nan), "lofi", np.zeros(RATE), RATE))


class Joint:
    """An encoder of sound and text: loudness against the number of letters."""

    def encode(self, samples, sample_rate):
        level = float(np.abs(samples).mean())
        return np.array([[level, 1.0 - level]], np.float32)

    def encode_text(self, texts):
        return np.array([[2.0 * len(text), 0.0] for text in texts], np.float32)


def test_an_encoder_of_sound_and_text_makes_a_model():
    model = JointModel(Joint())
    assert model.similarity("lofi", np.ones(RATE), RATE) == pytest.approx(1.0)
    assert model.similarity("lofi", np.zeros(RATE), RATE) == pytest.approx(0.0)
    assert math.isnan(model.similarity("  ", np.ones(RATE), RATE))


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
        "instruments": ["x"],
        "ignored": None,
    }
    asked = Facets(tempo=100.0, family="lofi", metre=(4, 4), energy=0.5, instruments=("flute",))
    assert math.isnan(by_properties(asked, strange, np.zeros((0, 1)), space))
