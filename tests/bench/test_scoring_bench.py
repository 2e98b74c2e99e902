from __future__ import annotations

import numpy as np
import pytest

from bench.scoring import auc
from bench.scoring_defects import DEFECTS
from tests.scoring.synth import Piece, play

RATE = 22050


def test_auc_counts_pairs_and_halves_ties():
    assert auc(np.array([0.1, 0.2]), np.array([1.0, 0.9])) == 1.0
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5
    assert auc(np.array([0.5, 1.0]), np.array([0.7])) == 0.5


@pytest.mark.parametrize("kind", DEFECTS)
def test_each_defect_changes_a_clip_and_leaves_it_audio(kind):
    clip = play(Piece(), seconds=3.0, rate=RATE)
    before = clip.copy()
    for name, damage in DEFECTS[kind].items():
        broken = np.asarray(damage(clip, RATE, np.random.default_rng(1)))
        assert broken.shape[1] == 2
        assert 0 < len(broken) <= len(clip)
        assert np.isfinite(broken).all()
        assert not np.array_equal(broken, clip), name
    assert np.array_equal(clip, before)


def test_there_are_twelve_kinds_in_three_severities():
    assert len(DEFECTS) == 12
    assert all(len(severities) == 3 for severities in DEFECTS.values())
