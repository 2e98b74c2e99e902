"""MAGNeT, JASCO and MusicGen-Style in audiocraft's own environment. A script; nothing imports it.

It runs under that environment's Python (3.9 or newer) with ``-I``, so that neither this folder nor our packages are on
its path: of Tunebreeder it takes the modules in ``generation/`` that need the standard library alone.

One clip is made after the other, each from its own seed, so that a clip does not depend on the rest of its batch.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

package = types.ModuleType("generation")
package.__path__ = [str(Path(__file__).resolve().parents[1])]
sys.modules.setdefault("generation", package)

from generation.parcels import Order, Refusal, Sound, States  # noqa: E402
from generation.serving import Failed, NoRoom, Step, private_pipes, serve  # noqa: E402

CLASSES = {"magnet": "MAGNeT", "jasco": "JASCO", "style": "MusicGen"}
"""Of audiocraft, by kind of model."""
STYLE = "set_style_conditioner_params"
"""What a ``MusicGen`` has that can follow a style."""
SHORTEST_STYLE, LONGEST_STYLE = 1.5, 4.5
"""Seconds of a sound that MusicGen-Style listens to."""
LONGEST_HEARD = 600.0
"""Seconds of it that are read; where in them it is listened to is drawn."""
QUANTIZERS = 6
"""The more of them a style passes, the closer it is followed."""
TEXT_AND_STYLE = 5.0
"""How much the words are pushed beside a style; what audiocraft's authors suggest."""
PARTS = 100
"""Steps of a clip that are told."""
_SIMPLER = {
    "m(maj7)": "m", "madd9": "m", "m9": "m7", "m7b5": "dim", "m7": "m", "m6": "m", "dim7": "dim",
    "maj9": "maj7", "maj7": "", "add9": "", "9": "7", "7": "", "6": "", "sus2": "", "sus4": "", "5": "",
    "aug": "", "dim": "m", "m": "",
}  # fmt: skip
"""A quality in place of one that a model does not know."""
_SHARP_FLAT = (("C#", "Db"), ("D#", "Eb"), ("F#", "Gb"), ("G#", "Ab"), ("A#", "Bb"))
_OTHER = {**dict(_SHARP_FLAT), **{flat: sharp for sharp, flat in _SHARP_FLAT}}
"""Another spelling of a root."""


class Audiocraft:
    """A ``generation.serving.Maker`` around one of audiocraft's models.

    Args:
        args: What the command line said.

    Raises:
        Failed: A package or the weights are missing, or the model is not in this version of audiocraft.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._torch = _torch()
        _limit(self._torch, args)
        self._model = load(args)

    def hello(self) -> dict[str, Any]:
        """Return what it says of itself."""
        import audiocraft  # noqa: PLC0415 - late, as all of its environment

        return {
            "info": {
                "name": self._args.name,
                "version": audiocraft.__version__,
                "licence": "CC-BY-NC-4.0",
                "details": {"device": str(self._model.device)},
            },
            "capabilities": {
                "shortest": 1.0,
                "longest": float(self._model.max_duration),
                "sample_rate": int(self._model.sample_rate),
                "commercial": False,
                "sources": ["vary"] if self._args.kind == "style" else [],
            },
        }

    def read(self, prompts: Sequence[str], step: Step) -> list[States]:
        """Say that it does not tell."""
        raise Failed("audiocraft does not tell what it makes of words.")

    def make(self, orders: Sequence[Order], step: Step) -> list[Sound | Refusal]:
        """Make one clip for each order, in order."""
        made: list[Sound | Refusal] = []
        for place, order in enumerate(orders):

            def progress(done: int, total: int, place: int = place) -> None:
                part = min(PARTS, PARTS * done // max(1, total))
                step(place * PARTS + part, len(orders) * PARTS)

            self._model.set_custom_progress_callback(progress)
            made.append(self._made(order))
            step((place + 1) * PARTS, len(orders) * PARTS)
        return made

    def _made(self, order: Order) -> Sound | Refusal:
        self._torch.manual_seed(int(order.said["seed"]))
        random.seed(int(order.said["seed"]))  # where in a sound a style is listened to
        try:
            with self._torch.no_grad():
                wave = self._wave(order)
        except self._torch.cuda.OutOfMemoryError:
            self._torch.cuda.empty_cache()
            raise NoRoom from None
        if isinstance(wave, Refusal):
            return wave
        rate = int(self._model.sample_rate)
        samples = wave[0].detach().float().cpu().t()[: round(order.said["seconds"] * rate), :2]
        return Sound(
            samples=samples.contiguous().numpy().astype("<f4").tobytes(),
            rate=rate,
            channels=int(samples.shape[1]),
            description={"model": self._args.model, "device": str(self._model.device)},
        )

    def _wave(self, order: Order) -> Any:
        words = [order.said["prompt"]]
        if self._args.kind == "jasco":
            chords = known_chords(order.said.get("chords") or [], self._model.chords_mapping)
            return self._model.generate_music(
                descriptions=words, chords=chords or None, progress=True
            )
        if self._args.kind == "magnet":
            return self._model.generate(descriptions=words, progress=True)
        return self._style(order, words)

    def _style(self, order: Order, words: list[str]) -> Any:
        seconds = float(order.said["seconds"])
        if not order.source:
            self._model.set_generation_params(duration=seconds, cfg_coef_beta=None)
            return self._model.generate(descriptions=words, progress=True)
        sound = self._heard(order.source)
        if isinstance(sound, Refusal):
            return sound
        wave, rate = sound
        length = wave.shape[-1] / rate
        if length < SHORTEST_STYLE:
            return Refusal(
                f"A style to follow lasts {SHORTEST_STYLE:g} s at least, not {length:.1f} s."
            )
        given = bool(order.said["prompt"].strip())
        strength = float(order.said["source"]["strength"])
        self._model.set_generation_params(
            duration=seconds, cfg_coef_beta=TEXT_AND_STYLE if given else None
        )
        self._model.set_style_conditioner_params(
            eval_q=1 + round((QUANTIZERS - 1) * (1 - strength)),
            excerpt_length=min(LONGEST_STYLE, length),
        )
        return self._model.generate_with_chroma(
            descriptions=words if given else [None],
            melody_wavs=wave[None],
            melody_sample_rate=rate,
            progress=True,
        )

    def _heard(self, file: bytes) -> Any:
        """Return a file's sound as a tensor (channels, frames) and its rate, or why there is none."""
        import soundfile  # noqa: PLC0415 - late, as all of its environment

        try:
            with soundfile.SoundFile(io.BytesIO(file)) as opened:
                rate, channels = int(opened.samplerate), int(opened.channels)
                if channels > 2:
                    return Refusal(f"A style to follow has one or two channels, not {channels}.")
                samples = opened.read(int(LONGEST_HEARD * rate), "float32", always_2d=True)
        except RuntimeError as error:
            return Refusal(f"The sound to start from cannot be read: {error}")
        wave = self._torch.from_numpy(samples.T.copy())
        if not bool(self._torch.isfinite(wave).all()):
            return Refusal("The sound to start from has samples that are not numbers.")
        return wave, rate


def load(args: argparse.Namespace) -> Any:
    """Return a model of audiocraft; fetches weights only where the hub is not switched off.

    Raises:
        Failed: It cannot be had; says what to do.
    """
    models = _models()
    if not _has(models, args.kind):
        raise Failed(
            f"The audiocraft in this environment cannot play {args.name}: it came from PyPI. "
            "Set it up again where GitHub can be reached: python bot.py worker audiocraft --setup"
        )
    make = getattr(models, CLASSES[args.kind])
    device = None if args.device == "auto" else args.device
    more = {"chords_mapping_path": args.chords} if args.kind == "jasco" else {}
    try:
        return make.get_pretrained(args.model, device=device, **more)
    except _torch().cuda.OutOfMemoryError:
        raise Failed(
            f"The weights of {args.name} do not fit into the memory of the GPU, or of generation.memory. "
            "Choose a smaller model, or generation.device: cpu."
        ) from None
    except (OSError, AssertionError) as error:
        if args.fetch:
            raise Failed(f"{args.model} cannot be had: {type(error).__name__}: {error}") from None
        raise Failed(
            f"The weights of {args.name} are not here or not whole ({type(error).__name__}). Fetch them: "
            f"python bot.py worker audiocraft --pull {args.name}"
        ) from None


def _limit(torch: Any, args: argparse.Namespace) -> None:
    """Take no more threads and no more of a GPU's memory than the bot's settings allow."""
    torch.set_num_threads(max(1, args.threads))
    if args.memory <= 0 or args.device == "cpu" or not torch.cuda.is_available():
        return
    place = int(args.device.partition(":")[2] or 0)  # "auto" and "cuda" are the first one
    whole = torch.cuda.get_device_properties(place).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, args.memory * 1e9 / whole), place)


def _has(models: Any, kind: str) -> bool:
    """Whether this version of audiocraft has a kind of model."""
    made = getattr(models, CLASSES[kind], None)
    return hasattr(made, STYLE) if kind == "style" else made is not None


def known_chords(
    chords: Sequence[Sequence[Any]], mapping: dict[str, int]
) -> list[tuple[str, float]]:
    """Return chords and when they begin, in the words that a model knows; what it has no word for is left out.

    The first one begins at 0: a model has no word for what sounds before it.
    """
    spelt = [(_known(str(name), mapping), float(begin)) for name, begin in chords]
    known = [(name, begin) for name, begin in spelt if name]
    before = [one for one in known if one[1] <= 0.0] or known[:1]
    return [(name, 0.0) for name, _ in before[-1:]] + [
        one for one in known if one[1] > 0.0 and one not in before
    ]


def _known(name: str, mapping: dict[str, int]) -> str:
    root = name[:2] if name[1:2] in ("#", "b") else name[:1]
    quality: str | None = name[len(root) :]
    while quality is not None:
        for spelling in (root, _OTHER.get(root, root)):
            if spelling + quality in mapping:
                return spelling + quality
        quality = _SIMPLER.get(quality)
    return ""


def _torch() -> Any:
    try:
        import torch  # noqa: PLC0415 - late, so that its absence can be said
    except ImportError as error:
        raise Failed(_incomplete(error)) from None
    return torch


def _models() -> Any:
    try:
        from audiocraft import models  # noqa: PLC0415 - late, so that its absence can be said
    except ImportError as error:
        raise Failed(_incomplete(error)) from None
    return models


def _incomplete(error: ImportError) -> str:
    return (
        f"audiocraft's environment is not whole ({error}). "
        "Set it up again: python bot.py worker audiocraft --setup"
    )


def checked() -> dict[str, Any]:
    """Return what is in this environment."""
    torch, models = _torch(), _models()
    import audiocraft  # noqa: PLC0415 - late, as all of its environment

    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "audiocraft": audiocraft.__version__,
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "",
        "kinds": [kind for kind in CLASSES if _has(models, kind)],
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="say in JSON what is here")
    parser.add_argument("--fetch", action="store_true", help="fetch the weights and end")
    parser.add_argument("--name", default="", help="what the model is called by the bot")
    parser.add_argument("--model", default="", help="what the model is called on the hub")
    parser.add_argument("--kind", choices=sorted(CLASSES), default="magnet")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--memory", type=float, default=0.0, help="gigabytes of a GPU; 0 is all")
    parser.add_argument("--threads", type=int, default=1, help="on a CPU")
    parser.add_argument("--chords", default="", help="JASCO's table of chords")
    return parser.parse_args()


def main() -> None:
    """Check, fetch, or serve the bot."""
    args = arguments()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the bot ends it
    if not (args.check or args.fetch):
        heard, said = private_pipes()
        serve(heard, said, lambda: Audiocraft(args))
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        out = checked() if args.check else str(load(args).name)
    except Failed as error:
        sys.exit(str(error))
    os.write(1, json.dumps(out).encode() + b"\n")


if __name__ == "__main__":
    main()
