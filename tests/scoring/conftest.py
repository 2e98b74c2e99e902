from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.features import FeatureEncoder
from scoring.space import TasteSpace, default_space
from tests.scoring.listeners import KINDS, of_kind
from tests.scoring.synth import Piece, play

RATE = 22050


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    pieces: list[Piece]
    kinds: list[str]
    embeddings: NDArray[np.float32]
    phi: NDArray[np.float64]


@pytest.fixture(scope="session")
def space() -> TasteSpace:
    return default_space()


@pytest.fixture(scope="session")
def bank(space: TasteSpace) -> Bank:
    """160 short clips of eight kinds."""
    rng = np.random.default_rng(11)
    encoder = FeatureEncoder()
    kinds = [list(KINDS)[i % len(KINDS)] for i in range(160)]
    pieces = [of_kind(kind, rng) for kind in kinds]
    clips = [play(piece, seed=i, seconds=4.0, rate=RATE) for i, piece in enumerate(pieces)]
    embeddings = np.concatenate([encoder.encode(clip, RATE) for clip in clips])
    return Bank(pieces=pieces, kinds=kinds, embeddings=embeddings, phi=space.project(embeddings))


def ends(frames: int, rate: int) -> NDArray[np.float32]:
    """Gains (frames, 1) that fade in over 5 ms and out over 50 ms."""
    left = np.arange(frames)
    gain = np.minimum(1.0, np.minimum(left / (0.005 * rate), left[::-1] / (0.05 * rate)))
    return gain[:, None].astype(np.float32)


@pytest.fixture(scope="session")
def clips() -> list[NDArray[np.float32]]:
    """Eight clean clips at 32 kHz, one of each kind, whose ends are faded as those of every posted clip are."""
    rng = np.random.default_rng(5)
    made = [play(of_kind(kind, rng), seed=i, seconds=5.0) for i, kind in enumerate(KINDS)]
    return [clip * ends(len(clip), 32000) for clip in made]
