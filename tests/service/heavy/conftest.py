"""A dispatcher over scripted processes, see ``tests/generation/serving/scripted_worker.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from generation.registry import Recipe
from service.heavy.dispatch import Dispatcher
from service.heavy.process import GeneratorProcess, Patience

SCRIPT = Path(__file__).parents[2] / "generation" / "serving" / "scripted_worker.py"
MODEL = Recipe(loader="scripted", name="scripted")
PATIENCE = Patience(start=60.0, silence=60.0, drain=5.0)


class Shop:
    """Makes dispatchers; what their processes did is in a log."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.once = folder / "once"
        self.gate = folder / "gate"
        self.made: list[Dispatcher] = []
        self.launched: list[GeneratorProcess] = []

    def open(self, *script: object, patience: Patience = PATIENCE, **options: float) -> Dispatcher:
        """Return a dispatcher whose processes behave as ``script`` says; ``once`` and ``gate`` stand for files."""
        files = {"once": str(self.once), "gate": str(self.gate)}
        words = [files.get(str(one), str(one)) for one in script]

        def launch(recipe: Recipe) -> GeneratorProcess:
            extra = [value for _, value in recipe.options]
            command = [sys.executable, str(SCRIPT), "--log", str(self.log), *words, *extra]
            self.launched.append(GeneratorProcess(command, patience))
            return self.launched[-1]

        self.made.append(Dispatcher(launch, **options))
        return self.made[-1]

    def let(self, batch: int) -> None:
        """Let a batch go on that waits at the gate."""
        self.gate.with_name(f"gate.{batch}").touch()

    def lines(self) -> list[str]:
        """Return what the processes did: ``start``, and ``batch`` with its size."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
async def shop(tmp_path):
    made = Shop(tmp_path)
    yield made
    for one in made.made:
        await one.close()
