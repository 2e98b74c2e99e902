from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoring.features import FeatureEncoder
from scoring.quality import assess
from scoring.windows import WHOLE, WINDOW, pieces
from tests.scoring.conftest import ends

RATE = 22050


def music(seconds: float) -> np.ndarray:
    """Plucked chords over and over, the last one dying away."""
    time = np.arange(round(seconds * RATE)) / RATE
    ends = np.clip(time / 0.005, 0, 1) * np.clip((seconds - time) / 0.3, 0, 1)
    fade = np.exp(-4 * (time % 0.5)) * ends
    tone = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220.0, 277.2, 329.6))
    return (0.1 * fade * tone)[:, None].repeat(2, axis=1).astype(np.float32)


@given(st.integers(1, 800 * 100), st.one_of(st.none(), st.integers(2, 5)))
def test_pieces_begin_at_the_beginning_and_end_at_the_end(frames, most):
    found = pieces(frames, 100, most)
    assert found[0].start == 0
    assert found[-1].stop == frames
    assert len({part.stop - part.start for part in found}) == 1
    if frames <= WHOLE * 100:
        assert len(found) == 1
    elif most is None:
        assert all(two.start <= one.stop for one, two in itertools.pairwise(found))
    else:
        assert len(found) <= most
        assert all(part.stop - part.start == WINDOW * 100 for part in found)


def test_features_do_not_depend_on_length():
    encoder = FeatureEncoder()
    short, long = (encoder.encode(music(seconds), RATE)[0] for seconds in (40.0, 100.0))
    assert np.abs(short - long).max() < 0.35
    assert np.corrcoef(short, long)[0, 1] > 0.99


def test_one_broken_stretch_of_a_long_clip_is_found():
    clip = music(100.0) * ends(100 * RATE, RATE)
    assert assess(clip, RATE).score > 0.9
    clip[48 * RATE : 66 * RATE] = 0.0
    assert assess(clip, RATE).score < 0.8
