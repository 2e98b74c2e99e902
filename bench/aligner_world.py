"""A listening world to train aligners in: tracks with embeddings in layers, and listeners with histories.

Tracks have latent properties: 8 of sound, 8 of playing and 8 of style, drawn around 30 genres, and 12 of the recording,
which nobody cares for but which embeddings are full of. An embedding has 13 layers of 768 numbers. As in a real audio
encoder, low layers hold more of the sound and high ones more of the style, each layer is bent (``tanh``) and has an
offset and a scale of its own, a few numbers are far larger than the rest, neighbouring layers are alike, and there is
noise. Listeners have one to three tastes, directions in the latent properties; a track is liked by the best of them, so
liking is not linear. What is listened to also goes with popularity, which is skewed; a tenth of it is chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from training.aligner.log import Listening
from training.aligner.store import Store

GROUPS, OF_GROUP, RECORDING = 3, 8, 12
LATENT = GROUPS * OF_GROUP
GENRES = 30
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSize:
    """How large a world is.

    Attributes:
        users: Listeners.
        tracks: Tracks.
        layers: Of an embedding.
        dimensions: Of a layer.
        median: Median of different tracks that somebody listened to.
        noise: Standard deviation of an embedding's noise, where what it hears has about 1.
        steepness: Log odds of listening for a unit of liking.
    """

    users: int = 500
    tracks: int = 20_000
    layers: int = 13
    dimensions: int = 768
    median: int = 120
    noise: float = 1.0
    steepness: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """What was generated.

    Attributes:
        store: Embeddings.
        listening: Who listened to what.
        liking: (users, tracks) how much each listener likes each track: what an oracle would rank by.
    """

    store: Store
    listening: Listening
    liking: NDArray[np.float32]


def make_world(folder: Path, size: WorldSize, seed: int) -> World:
    """Generate a world; its embeddings go into ``folder``."""
    rng = np.random.default_rng(seed)
    genres = rng.normal(size=(GENRES, LATENT))
    share = rng.dirichlet(np.ones(GENRES))
    genre = rng.choice(GENRES, size=size.tracks, p=share)
    latent = 0.75 * genres[genre] + 0.65 * rng.normal(size=(size.tracks, LATENT))
    store = _embeddings(folder, latent, size, rng)
    liking = _liking(latent, genres, size, rng)
    return World(store=store, listening=_listening(liking, size, rng), liking=liking)


def _embeddings(
    folder: Path, latent: NDArray[np.float64], size: WorldSize, rng: np.random.Generator
) -> Store:
    heard = LATENT + RECORDING
    depth = np.linspace(0.0, 1.0, size.layers)[:, None]
    strength = np.exp(-(((depth - np.linspace(0.1, 0.9, GROUPS)) / 0.35) ** 2))
    strength = np.concatenate(
        [np.repeat(strength, OF_GROUP, axis=1), np.full((size.layers, RECORDING), 1.2)], axis=1
    )
    ends = rng.normal(size=(2, heard, size.dimensions)) / np.sqrt(heard)
    turn = depth[:, :, None] * np.pi / 2
    maps = np.cos(turn) * ends[0] + np.sin(turn) * ends[1]
    maps = (maps * strength[:, :, None]).astype(np.float32)
    offset = rng.normal(size=(size.layers, 1, size.dimensions)).astype(np.float32)
    scale = np.exp(0.3 * rng.normal(size=(size.layers, 1, size.dimensions))).astype(np.float32)
    scale[:, :, rng.choice(size.dimensions, max(1, size.dimensions // 200), replace=False)] *= 10
    store = Store.create(
        folder, layers=size.layers, dimensions=size.dimensions, encoder_id="generated"
    )
    for at in range(0, size.tracks, CHUNK):
        own = latent[at : at + CHUNK]
        recording = rng.normal(size=(len(own), RECORDING))
        inner = np.concatenate([own, recording], axis=1).astype(np.float32)
        bent = np.tanh(1.5 * (inner[None] @ maps))
        bent += size.noise * rng.standard_normal(bent.shape, dtype=np.float32)
        numbers = ((bent + offset) * scale).transpose(1, 0, 2)
        names = [f"track-{at + i}" for i in range(len(own))]
        store.append(f"tracks-{at}", names, iter(numbers))
    return store


def _liking(
    latent: NDArray[np.float64],
    genres: NDArray[np.float64],
    size: WorldSize,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return (users, tracks): the best of a listener's tastes, each half a genre's direction and half their own."""
    standard = (latent - latent.mean(axis=0)) / latent.std(axis=0)
    out = np.empty((size.users, size.tracks), dtype=np.float32)
    for user in range(size.users):
        count = int(rng.integers(1, 4))
        tastes = genres[rng.choice(GENRES, count)] + rng.normal(size=(count, LATENT))
        tastes /= np.linalg.norm(tastes, axis=1, keepdims=True)
        out[user] = logsumexp(2.0 * standard @ tastes.T, axis=1) / 2.0
    return out


def _listening(liking: NDArray[np.float32], size: WorldSize, rng: np.random.Generator) -> Listening:
    popularity = rng.permutation(-0.6 * np.log(np.arange(1, size.tracks + 1)))
    user, track, plays = [], [], []
    for one in range(size.users):
        count = int(np.clip(size.median * np.exp(0.7 * rng.normal()), 8, size.tracks // 4))
        by_taste = size.steepness * liking[one] + popularity + rng.gumbel(size=size.tracks)
        chosen = np.argpartition(-by_taste, count)[:count]
        chance = rng.random(count) < 0.1
        chosen[chance] = rng.choice(size.tracks, int(chance.sum()))
        chosen = np.unique(chosen)
        joy = liking[one][chosen] - liking[one].mean()
        user.append(np.full(len(chosen), one))
        track.append(chosen)
        plays.append(1 + rng.poisson(np.exp(np.clip(joy, -2, 3))))
    return Listening(
        users=size.users,
        tracks=size.tracks,
        user=np.concatenate(user),
        track=np.concatenate(track),
        plays=np.concatenate(plays).astype(np.int64),
    )
