"""What a model gives that is hardly a sound."""

from __future__ import annotations

import numpy as np
import pytest

from domain.clip import ClipFailure
from generation.finishing import finished
from generation.generator import Composition


@pytest.mark.parametrize("frames", [0, 1, 100, 1700])
def test_sound_that_is_over_before_it_has_faded_in_and_out_is_none(frames):
    made = finished(np.full((frames, 1), 0.1, dtype=np.float32), 32_000, {})
    assert isinstance(made, ClipFailure)
    assert made.reason.startswith("The model gave no sound")


def test_a_tenth_of_a_second_is_sound():
    wave = np.sin(np.arange(3200) / 9)[:, None].astype(np.float32)
    assert isinstance(finished(wave, 32_000, {}), Composition)


def test_samples_beyond_any_sound_are_one_clip_s_failure():
    wave = np.zeros((32_000, 1), dtype=np.float32)
    wave[100] = 1e37
    made = finished(wave, 32_000, {})
    assert isinstance(made, ClipFailure)
    assert "a sample is 1e+37" in made.reason
