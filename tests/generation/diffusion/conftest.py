"""Pipelines with nothing learned, and a sound to start from."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="PYTORCH IS MISSING: diffusion models were not tested")
pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: diffusion was not tested")
pytest.importorskip("diffusers", reason="DIFFUSERS IS MISSING: diffusion models were not tested")
pytest.importorskip("torchsde", reason="TORCHSDE IS MISSING: diffusion models were not tested")

from generation.diffusion.generator import Diffusion  # noqa: E402
from generation.registry import Recipe, create_generator  # noqa: E402
from tests.generation.diffusion import tiny  # noqa: E402

RATE = 22_050


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Callable[[str], Path]:
    """Return the folder of a family's pipeline, which is made once."""
    made: dict[str, Path] = {}

    def of(family: str) -> Path:
        if family not in made:
            made[family] = tiny.make(family, tmp_path_factory.mktemp("pipelines") / family)
        return made[family]

    return of


@pytest.fixture(scope="session")
def generator(folder) -> Callable[..., Diffusion]:
    """Return the generator of a family's pipeline with 4 steps a clip, which is loaded once."""
    made: dict[str, Diffusion] = {}

    def of(family: str) -> Diffusion:
        if family not in made:
            recipe = Recipe(
                loader="diffusers",
                name=family,
                folder=str(folder(family)),
                licence="none",
                options=(("steps", "4"),),
            )
            one = create_generator(recipe)
            assert isinstance(one, Diffusion)
            made[family] = one
        return made[family]

    return of


@pytest.fixture(scope="session")
def wave() -> np.ndarray:
    """Return two seconds of a tone, mono, of another rate than any pipeline here."""
    return (0.3 * np.sin(2 * np.pi * 330 * np.arange(2 * RATE) / RATE)).astype(np.float32)


@pytest.fixture(scope="session")
def file(wave) -> bytes:
    """Return it as a WAV file."""
    out = io.BytesIO()
    soundfile.write(out, wave, RATE, format="WAV")
    return out.getvalue()


@pytest.fixture(autouse=True)
def one_thread():
    """Keep small models on one thread: more are slower on shared cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
