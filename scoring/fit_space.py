"""Fit the statistics of the taste space from a folder of clips.

    python -m scoring.fit_space FOLDER [--out scoring/space.json]

The folder holds audio files that soundfile reads. Where clips lie in subfolders, a subfolder's name is the kind of
music in it, and the space learns how much a clip sounds like each kind (linear discriminants with a ridge). Without
kinds it takes the principal components of what the named properties leave over.
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

SPACE = "taste-3"
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
    "flutter": 0.3,
    "major": 0.6,
    "key_strength": 0.3,
    "harmonic_change": 0.3,
    "roughness": 0.3,
    "register": 0.35,
    "focus": 0.3,
}
"""Weight of each property: how much more or less of it changes a stranger's liking."""
SQUARE: dict[str, float] = dict.fromkeys(LINEAR, 0.3) | {
    "tempo": 0.6,
    "onset_rate": 0.35,
    "brightness": 0.45,
    "percussive": 0.35,
}
"""Properties of which people like a middle."""
COMPONENTS, COMPONENT_WEIGHT = 10, 0.6
DISCRIMINANTS, RIDGE = 32, 0.3
KIND_WEIGHT, SOFTNESS = 2.5, 2.5
"""Of the kinds: the scale of a column, and how much less sure the shares are than the fit would have them."""
FEWEST_KINDS = 3
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


def classes(standard: Doubles, kinds: Sequence[str]) -> tuple[Doubles, Doubles, Doubles]:
    """Return the matrix (kinds, dim) and bias (kinds,) of a linear classifier of kinds, and the mean share of each.

    Clips are compared with the middle of each kind in the space where a kind is as wide in every direction, and only
    along the directions in which kinds differ most.
    """
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
    directions = np.linalg.svd(between, full_matrices=False)[2][:DISCRIMINANTS].T
    to_plane = whiten @ directions
    spread = (inner @ to_plane).std(axis=0)
    to_plane = to_plane / spread
    points = middles @ to_plane
    # The squared distance to a middle is linear in the clip, but for a term that all kinds share.
    matrix = (to_plane @ points.T).T / SOFTNESS
    bias = -0.5 * (points**2).sum(axis=1) / SOFTNESS
    score = standard @ matrix.T + bias
    share = np.exp(score - score.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    return matrix, bias, share.mean(axis=0)


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
    columns = [_column(name, Form.LINEAR, index[name], weight) for name, weight in LINEAR.items()]
    columns += [_column(name, Form.SQUARE, index[name], weight) for name, weight in SQUARE.items()]
    found: dict[str, Any] = {"kinds": [], "kind_bias": [], "components": []}
    if kinds is not None and len(set(kinds)) >= FEWEST_KINDS:
        matrix, bias, share = classes(standard, kinds)
        found |= {"kinds": [_short(row) for row in matrix], "kind_bias": _short(bias)}
        for place, name in enumerate(sorted(set(kinds))):
            column = _column(name, Form.KIND, place, KIND_WEIGHT)
            columns.append({**column, "centre": _short(share)[place]})
    else:
        directions = principal(standard, [index[name] for name in LINEAR], COMPONENTS)
        directions = directions / (standard @ directions.T).std(axis=0)[:, None]
        found["components"] = [_short(direction) for direction in directions]
        for place in range(len(directions)):
            columns.append(_column(f"component_{place}", Form.COMPONENT, place, COMPONENT_WEIGHT))
    return {
        "id": f"{encoder.info.id}/{SPACE}",
        "encoder_id": encoder.info.id,
        "clips": len(given),
        "centre": _short(centre),
        "scale": _short(scale),
        "columns": columns,
        **found,
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


def _text(statistics: dict[str, Any]) -> str:
    """Return JSON with a line for each row, so that a refit can be read as a difference."""
    lines = []
    for key, value in statistics.items():
        if isinstance(value, list) and value and isinstance(value[0], (list, dict)):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            lines.append(f' "{key}": [\n  {rows}\n ]')
        else:
            lines.append(f' "{key}": {json.dumps(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


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
    options.out.write_text(_text(statistics), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
