"""Fit the statistics of the taste space from a folder of clips.

    python -m scoring.fit_space FOLDER [--out scoring/space.json]

The folder holds audio files that soundfile reads. Where clips lie in subfolders, a subfolder's name is the kind of
music in it, and the components become the directions that tell the kinds apart (linear discriminants with a ridge);
without kinds they are the principal components of what the named properties leave over.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.beliefs import Doubles
from scoring.encoder import Encoder
from scoring.features import FeatureEncoder
from scoring.space import REACH, STATISTICS, Form

SPACE = "taste-1"
LINEAR: dict[str, float] = {
    "tempo": 0.6,
    "pulse": 0.35,
    "onset_rate": 0.5,
    "onset_strength": 0.35,
    "swing": 0.35,
    "percussive": 0.4,
    "brightness": 0.5,
    "bass": 0.35,
    "warmth": 0.3,
    "air": 0.35,
    "noisiness": 0.35,
    "dynamics": 0.3,
    "crest": 0.3,
    "width": 0.25,
    "major": 0.6,
    "harmonic_change": 0.3,
    "roughness": 0.3,
    "register": 0.35,
}
"""Weight of each property: how much more or less of it changes a stranger's liking."""
SQUARE: dict[str, float] = {"tempo": 0.5, "onset_rate": 0.3, "brightness": 0.4, "percussive": 0.3}
"""Properties of which people like a middle."""
COMPONENTS, COMPONENT_WEIGHT = 10, 0.6
RIDGE = 0.3
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff")


def standardised(embeddings: NDArray[Any], centre: Doubles, scale: Doubles) -> Doubles:
    """Return embeddings as the space sees them: in standard deviations, softly limited."""
    out: Doubles = REACH * np.tanh((np.asarray(embeddings, np.float64) - centre) / (REACH * scale))
    return out


def principal(standard: Doubles, named: Sequence[int], count: int) -> Doubles:
    """Return (count, dim) directions of greatest spread in what the named columns leave over."""
    known = standard[:, list(named)]
    ridge = 1e-2 * len(standard) * np.eye(known.shape[1])
    left = standard - known @ np.linalg.solve(known.T @ known + ridge, known.T @ standard)
    return np.linalg.svd(left - left.mean(axis=0), full_matrices=False)[2][:count]


def discriminants(standard: Doubles, kinds: Sequence[str], count: int) -> Doubles:
    """Return (count, dim) directions in which kinds differ most for how much clips of a kind differ."""
    names = sorted(set(kinds))
    member = np.array([names.index(kind) for kind in kinds])
    middles = np.stack([standard[member == k].mean(axis=0) for k in range(len(names))])
    inner = standard - middles[member]
    within = inner.T @ inner / max(len(standard) - len(names), 1)
    within += RIDGE * np.eye(standard.shape[1])
    values, vectors = np.linalg.eigh(within)
    whiten = vectors / np.sqrt(values)
    shares = np.sqrt(np.bincount(member) / len(member))[:, None]
    between = (shares * (middles - standard.mean(axis=0))) @ whiten
    directions = np.linalg.svd(between, full_matrices=False)[2][:count]
    out: Doubles = directions @ whiten.T
    return out


def fit(
    embeddings: NDArray[Any], encoder: Encoder, kinds: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the statistics of a space, ready for ``TasteSpace`` and for JSON.

    Args:
        embeddings: (n, dimensions) of at least 20 clips.
        encoder: What made them; its names must hold those of ``LINEAR``.
        kinds: The kind of music of each clip, where known.
    """
    given = np.asarray(embeddings, dtype=np.float64)
    centre = np.median(given, axis=0)
    low, high = np.percentile(given, [10, 90], axis=0)
    scale = np.maximum(np.maximum((high - low) / 2.563, 0.5 * given.std(axis=0)), 1e-3)
    standard = standardised(given, centre, scale)
    index = {name: place for place, name in enumerate(encoder.info.names)}
    directions = (
        discriminants(standard, kinds, COMPONENTS)
        if kinds is not None and len(set(kinds)) > COMPONENTS
        else principal(standard, [index[name] for name in LINEAR], COMPONENTS)
    )
    directions = directions / (standard @ directions.T).std(axis=0)[:, None]
    columns = [_column(name, Form.LINEAR, index[name], weight) for name, weight in LINEAR.items()]
    columns += [_column(name, Form.SQUARE, index[name], weight) for name, weight in SQUARE.items()]
    columns += [
        _column(f"component_{place}", Form.COMPONENT, place, COMPONENT_WEIGHT)
        for place in range(len(directions))
    ]
    return {
        "id": f"{encoder.info.id}/{SPACE}",
        "encoder_id": encoder.info.id,
        "clips": len(given),
        "centre": _short(centre),
        "scale": _short(scale),
        "columns": columns,
        "components": [_short(direction) for direction in directions],
    }


def _column(name: str, form: Form, source: int, weight: float) -> dict[str, Any]:
    return {"name": name, "form": form.value, "source": source, "weight": weight}


def _short(values: Doubles) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def read_folder(
    folder: Path, encode: Callable[[NDArray[Any], int], NDArray[Any]]
) -> tuple[NDArray[Any], list[str]]:
    """Return the embeddings (n, dim) of all clips under a folder and the names of the folders that they lie in."""
    import soundfile  # noqa: PLC0415 - heavy, and the bot imports nothing from here

    paths: Iterable[Path] = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    embeddings, kinds = [], []
    for path in paths:
        samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
        embeddings.append(encode(samples, sample_rate)[0])
        kinds.append(path.parent.name)
    return np.array(embeddings), kinds


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Fit the statistics of the taste space from a folder of clips."
    )
    parser.add_argument(
        "folder", type=Path, help="audio files, in a subfolder for each kind of music"
    )
    parser.add_argument("--out", type=Path, default=STATISTICS, help="the JSON file to write")
    options = parser.parse_args(arguments)
    encoder = FeatureEncoder()
    embeddings, kinds = read_folder(options.folder, encoder.encode)
    if len(embeddings) < 20:
        parser.error(
            f"{options.folder} holds {len(embeddings)} clips; 20 are needed, some hundreds are better."
        )
    statistics = fit(embeddings, encoder, kinds)
    options.out.write_text(json.dumps(statistics, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
