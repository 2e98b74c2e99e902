"""``models bench``: measure encoders and generators that are here, each in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

from cli.measure_encoder import Heard
from cli.measure_encoder import measure as measure_encoder
from cli.measure_generator import Played, Speed
from cli.measure_generator import measure as measure_generator
from cli.measuring import alone
from domain.clip import BUILT_IN as COMPOSER
from domain.errors import TunebreederError, UserError
from scoring.encoders import BUILT_IN as FEATURES
from service.models.catalogue import Role, entry
from service.models.chosen import recipe_of, weights_of
from service.models.foreign import audiocraft_environment
from service.models.store import ModelStore
from service.settings import Settings

Measured = Heard | Played


def bench(settings: Settings, store: ModelStore, name: str | None, *, as_json: bool) -> int:
    """Measure one model, or every one that is here beside the built-in ones; keep what was found for the list.

    Raises:
        UserError: The model is not here, or cannot be used; says what to do.
    """
    if name is not None:
        rows = [_measured(settings, store, name)]
    else:
        rows = list(filter(None, (_told(settings, store, one) for one in _every(settings, store))))
    for row in rows:
        here = store.installed(row.name)
        if here is not None:
            store.note(replace(here, measured=asdict(row)))
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return 0
    _print_encoders([row for row in rows if isinstance(row, Heard)])
    _print_generators([row for row in rows if isinstance(row, Played)])
    return 0


def _every(settings: Settings, store: ModelStore) -> list[str]:
    """Return what there is to measure, encoders first."""
    elsewhere = audiocraft_environment(settings.storage.data_dir)
    names = [one.name for one in store.every() if entry(one.name).usable]
    encoders = [name for name in names if entry(name).role is Role.ENCODER]
    generators = [name for name in names if entry(name).role is Role.GENERATOR]
    return [FEATURES, *encoders, COMPOSER, *generators, *elsewhere.models()]


def _told(settings: Settings, store: ModelStore, name: str) -> Measured | None:
    """Measure one of several; what cannot be measured is said and left out."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    try:
        return _measured(settings, store, name)
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return None


def _measured(settings: Settings, store: ModelStore, name: str) -> Measured:
    """Measure a model.

    Raises:
        UserError: It cannot be used here.
    """
    try:
        if name == FEATURES:
            return alone(name, measure_encoder, None, settings.scoring.device)
        if name == COMPOSER or entry(name).role is Role.GENERATOR:
            return alone(name, measure_generator, recipe_of(settings, name))
        return alone(name, measure_encoder, weights_of(store, name), settings.scoring.device)
    except UserError:
        raise
    except TunebreederError as error:
        raise UserError(str(error)) from None


def _print_encoders(rows: Sequence[Heard]) -> None:
    if not rows:
        return
    print(f"{'encoder':24}{'load s':>8}{'clips/s':>9}{'CPU-s/clip':>12}{'memory MB':>11}  device")
    for row in rows:
        print(
            f"{row.name:24}{row.load_seconds:8.1f}{row.clips_per_second:9.2f}{row.cpu_seconds_per_clip:12.2f}"
            f"{row.memory_mb:11.0f}  {row.device}"
        )


def _print_generators(rows: Sequence[Played]) -> None:
    if not rows:
        return
    print(
        f"{'generator':24}{'load s':>8}{'at once':>9}{'clips/s':>9}{'x real time':>13}{'CPU-s/clip':>12}"
        f"{'memory MB':>11}{'VRAM MB':>9}  device"
    )
    for row in rows:
        _print_speed(row.name, f"{row.load_seconds:.1f}", row.alone, row)
        if row.together != row.alone:
            _print_speed("", "", row.together, row)
        if row.drafts is not None:
            _print_speed("  drafts", "", row.drafts, row)


def _print_speed(name: str, load: str, speed: Speed, row: Played) -> None:
    print(
        f"{name:24}{load:>8}{speed.batch:9}{speed.clips_per_second:9.3f}{speed.real_time:13.2f}"
        f"{_number(speed.cpu_seconds_per_clip, 2):>12}{_number(row.memory_mb):>11}{_number(row.vram_mb):>9}"
        f"  {row.device}"
    )


def _number(value: float | None, places: int = 0) -> str:
    return "-" if value is None else f"{value:.{places}f}"
