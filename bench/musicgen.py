"""MusicGen's decoder at the released shapes: how fast, against transformers' own generation and the hardware's bound.

Weights are random: they cost the same as learned ones. On a CPU the small shape in bfloat16 on one thread, batches of
1 and 8; with a GPU all shapes and batches, one CUDA graph for each window, against what its memory can deliver.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.report import Bar, Report
from domain.errors import UsageError
from generation.musicgen.shapes import FRAME_RATE, SHAPES, Shape, cost

if TYPE_CHECKING:
    import torch

    from generation.musicgen.loop import Prompts

FRAMES, QUICK_FRAMES = 500, 60
EQUAL_FRAMES = 24
"""Frames whose greedy codes are compared; float32 is slow."""
TEXT = 64
"""Tokens of a prompt."""
GUIDANCE = 3.0
CPU_BATCHES = (1, 8)
GPU_BATCHES = (1, 8, 32)
ASKED = {("small", 32): 450.0, ("medium", 32): 135.0, ("large", 32): 90.0, ("small", 1): 25.0}
"""Times real time, all clips together, that an H200-class GPU is to reach."""
SHARE_ASKED = 0.4
"""Of the bound that memory sets at a batch of 32."""
COPIED = 1 << 30
"""Bytes copied to measure a GPU's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One batch written.

    Attributes:
        shape: Its name.
        batch: Clips.
        system: Who wrote it.
        steps: Decoding steps.
        wall: Seconds.
        cpu: CPU seconds.
        bound: Seconds that reading weights, keys and values takes at the memory's measured speed; 0 where unknown.
        memory: Bytes taken for each clip, 0 where unknown.
        first: Seconds that the very first batch of the kind took, graphs captured; 0 where there are none.
    """

    shape: str
    batch: int
    system: str
    steps: int
    wall: float
    cpu: float
    bound: float = 0.0
    memory: int = 0
    first: float = 0.0

    @property
    def real_time(self) -> float:
        """Seconds of sound of all clips in a second."""
        return self.batch * (self.steps - 3) / FRAME_RATE / self.wall


async def measure(*, quick: bool = False) -> Report:
    """Measure on the best device that there is.

    Raises:
        UsageError: PyTorch or transformers is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        raise UsageError(
            "This benchmark needs PyTorch and transformers: pip install torch==2.13.0, then "
            "pip install 'tunebreeder[models]'."
        )
    import torch  # noqa: PLC0415 - heavy

    frames = QUICK_FRAMES if quick else FRAMES
    gpu = torch.cuda.is_available()
    torch.set_num_threads(1)
    device = torch.device("cuda:0" if gpu else "cpu")
    speed = _memory_speed(device) if gpu else 0.0
    runs: list[Run] = []
    equal: dict[str, float] = {}
    for name in SHAPES if gpu else ("small",):
        if not SHAPES[name].melody:
            equal[name] = _equal(SHAPES[name], device)
        for batch in GPU_BATCHES if gpu else CPU_BATCHES:
            runs += _compared(name, batch, frames, device, speed)
            print(f"{name}, batch {batch}", file=sys.stderr, flush=True)
    report = _report(runs, device, speed, frames)
    for name, share in equal.items():
        report.bars.append(
            Bar(
                name=f"{name}, greedy codes are those of transformers (float32)",
                value=f"{share:.0%}",
                asked="100%",
                met=share == 1.0,
            )
        )
    report.figures = {**report.figures, "equal": equal}
    return report


def _equal(shape: Shape, device: torch.device) -> float:
    """Return the share of greedy codes in [0, 1] that are those of transformers, with the same random weights."""
    import torch  # noqa: PLC0415

    from generation.musicgen.decoder import Decoder  # noqa: PLC0415
    from generation.musicgen.loop import Batch, Prompts, write  # noqa: PLC0415
    from generation.musicgen.sampling import Sampling  # noqa: PLC0415
    from generation.musicgen.weights import packed  # noqa: PLC0415

    model = _transformers_model(shape, device).float().eval()
    tokens = torch.randint(2, 90, (2, 12), generator=torch.Generator().manual_seed(0)).to(device)
    mask = torch.ones_like(tokens)
    seen: list[torch.Tensor] = []
    decode = model.audio_encoder.decode

    def listening(codes: torch.Tensor, *rest: Any, **named: Any) -> Any:
        seen.append(codes[0])
        return decode(codes, *rest, **named)

    model.audio_encoder.decode = listening
    with torch.inference_mode():
        model.generate(
            input_ids=tokens,
            attention_mask=mask,
            do_sample=False,
            guidance_scale=GUIDANCE,
            max_new_tokens=shape.steps(EQUAL_FRAMES),
        )
        states = model.text_encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        states = model.enc_to_dec_proj(states)
    theirs = seen[0] if len(seen) == 1 else torch.stack(seen, dim=2).flatten(1, 2)
    weights = packed(model.decoder.state_dict(), shape, device=device, dtype=torch.float32)
    batch = Batch(
        Decoder(shape, weights),
        Prompts(states=states, mask=mask),
        seeds=[1, 2],
        frames=EQUAL_FRAMES,
        how=Sampling(guidance=GUIDANCE, temperature=0.0),
    )
    return float((write(batch) == theirs).float().mean())


def _compared(
    name: str, batch: int, frames: int, device: torch.device, speed: float
) -> Sequence[Run]:
    """Write the same batch by both systems, one after the other."""
    shape = SHAPES[name]
    ours = _ours(name, shape, batch, frames, device, speed)
    theirs = _theirs(name, shape, batch, frames, device)
    return [ours, theirs]


def _prompts(shape: Shape, batch: int, device: torch.device) -> Prompts:
    """Return prompts of random states, with as much in front of the clips as the shape has there."""
    import torch  # noqa: PLC0415

    from generation.musicgen.loop import Prompts  # noqa: PLC0415

    own = torch.Generator().manual_seed(batch)
    size = (batch, max(TEXT, shape.front(TEXT)), shape.hidden)
    states = torch.randn(size, generator=own).to(device, torch.bfloat16)
    mask = torch.ones((batch, TEXT), dtype=torch.long, device=device)
    if not shape.melody:
        return Prompts(states=states, mask=mask)
    return Prompts(states=states[:, :TEXT], mask=mask, front=states, blank=states[0])


def _ours(
    name: str, shape: Shape, batch: int, frames: int, device: torch.device, speed: float
) -> Run:
    import torch  # noqa: PLC0415

    from generation.musicgen.decoder import Decoder  # noqa: PLC0415
    from generation.musicgen.loop import Batch, write  # noqa: PLC0415
    from generation.musicgen.place import Places  # noqa: PLC0415
    from generation.musicgen.sampling import Sampling  # noqa: PLC0415
    from generation.musicgen.weights import random_weights  # noqa: PLC0415

    decoder = Decoder(shape, random_weights(shape, device=device, dtype=torch.bfloat16))
    prompts, places = _prompts(shape, batch, device), Places()

    def once(length: int) -> Batch:
        made = Batch(
            decoder,
            prompts,
            seeds=range(batch),
            frames=length,
            how=Sampling(guidance=GUIDANCE),
            places=places,
        )
        write(made)
        places.keep(made.place)
        return made

    once(8)
    first = _timed(lambda: once(frames), device)[0] if device.type == "cuda" else 0.0
    wall, cpu, made = _timed(lambda: once(frames), device)
    told = cost(shape, frames, text=TEXT)
    depth = 2 * shape.layers * shape.hidden * 2
    attended = TEXT + made.steps if not shape.melody else 2 * made.front + made.steps
    read = (
        told.step + batch * depth * attended
    )  # a clip's two rows look back on half of its steps on the average
    return Run(
        shape=name,
        batch=batch,
        system="ours",
        steps=made.steps,
        wall=wall,
        cpu=cpu,
        bound=made.steps * read / speed if speed else 0.0,
        memory=made.memory.nbytes // batch,
        first=first,
    )


def _theirs(name: str, shape: Shape, batch: int, frames: int, device: torch.device) -> Run:
    """Let transformers' own ``generate`` write a batch with a decoder of the same shape."""
    import torch  # noqa: PLC0415

    model = _transformers_model(shape, device)
    tokens = torch.randint(2, 90, (batch, TEXT), device=device)

    def once(length: int) -> None:
        model.generate(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            guidance_scale=GUIDANCE,
            do_sample=True,
            top_k=250,
            max_new_tokens=shape.steps(length),
        )

    once(8)
    wall, cpu, _ = _timed(lambda: once(frames), device)
    return Run(
        shape=name,
        batch=batch,
        system="transformers",
        steps=shape.steps(frames),
        wall=wall,
        cpu=cpu,
    )


def _transformers_model(shape: Shape, device: torch.device) -> Any:
    """Return MusicGen with a decoder of this shape; text encoder and codec are as small as they can be."""
    import torch  # noqa: PLC0415
    from transformers import (  # noqa: PLC0415
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        MusicgenMelodyConfig,
        MusicgenMelodyDecoderConfig,
        MusicgenMelodyForConditionalGeneration,
        T5Config,
    )
    from transformers.utils import logging  # noqa: PLC0415

    logging.set_verbosity(40)
    text = T5Config(vocab_size=99, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
    codec = EncodecConfig(
        sampling_rate=32_000,
        target_bandwidths=[2.2],
        upsampling_ratios=[8, 5, 4, 4],
        num_filters=2,
        hidden_size=8,
        codebook_size=shape.vocabulary,
        num_residual_layers=1,
        num_lstm_layers=1,
    )
    decoder = (MusicgenMelodyDecoderConfig if shape.melody else MusicgenDecoderConfig)(
        vocab_size=shape.vocabulary,
        num_hidden_layers=shape.layers,
        ffn_dim=shape.feedforward,
        num_attention_heads=shape.heads,
        hidden_size=shape.hidden,
        num_codebooks=shape.codebooks,
    )
    parts: dict[str, Any] = {
        "text_encoder": text.to_dict(),
        "audio_encoder": codec.to_dict(),
        "decoder": decoder.to_dict(),
    }
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            model: Any = (
                MusicgenMelodyForConditionalGeneration(
                    MusicgenMelodyConfig(**parts, chroma_length=shape.melody)
                )
                if shape.melody
                else MusicgenForConditionalGeneration(MusicgenConfig(**parts))
            )
    finally:
        torch.set_default_dtype(before)
    model.eval()
    rules = model.generation_config
    rules.decoder_start_token_id = rules.pad_token_id = rules.bos_token_id = shape.padding
    rules.max_length = None
    return model


def _timed(work: Any, device: torch.device) -> tuple[float, float, Any]:
    """Return wall seconds, CPU seconds and what came of it."""
    import torch  # noqa: PLC0415

    if device.type == "cuda":
        torch.cuda.synchronize()
    wall, cpu = time.perf_counter(), time.process_time()
    out = work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - cpu, out


def _memory_speed(device: torch.device) -> float:
    """Return the bytes that the device's memory reads in a second, measured by adding up a large tensor."""
    import torch  # noqa: PLC0415

    big = torch.ones(COPIED // 2, dtype=torch.bfloat16, device=device)
    big.amax()
    times = [_timed(big.amax, device)[0] for _ in range(10)]
    return COPIED / min(times)


def _report(runs: Sequence[Run], device: torch.device, speed: float, frames: int) -> Report:
    import torch  # noqa: PLC0415

    gpu = device.type == "cuda"
    report = Report(
        name="musicgen",
        header=[
            "shape",
            "batch",
            "system",
            "steps a second",
            "x real time, all clips",
            "CPU s for a 10 s clip",
            "x transformers",
            *(["of the bound"] if gpu else []),
        ],
    )
    for ours, theirs in zip(runs[::2], runs[1::2], strict=True):
        ratio = theirs.wall / ours.wall if gpu else theirs.cpu / ours.cpu
        for run in (ours, theirs):
            ten = run.cpu * 10 * FRAME_RATE / frames / run.batch
            share = [f"{run.bound / run.wall:.2f}" if run.bound else ""] if gpu else []
            report.rows.append(
                [
                    run.shape,
                    str(run.batch),
                    run.system,
                    f"{run.steps / run.wall:.1f}",
                    f"{run.real_time:.2f}",
                    f"{ten:.1f}",
                    f"{ratio:.2f}" if run is ours else "",
                    *share,
                ]
            )
        report.bars.append(
            Bar(
                name=f"{ours.shape}, batch {ours.batch}: never slower than transformers",
                value=f"x{ratio:.2f}",
                asked="1",
                met=ratio >= 1.0,
            )
        )
        if gpu:
            _gpu_bars(report, ours)
    what = torch.cuda.get_device_name(device) if gpu else "one thread of a CPU"
    report.notes.append(
        f"{what}, bfloat16, random weights, guidance {GUIDANCE:g}, top-k 250, {frames} frames "
        f"({frames / FRAME_RATE:g} s) of each clip, prompts of {TEXT} tokens."
        + (
            f" Memory reads {speed / 1e12:.2f} TB/s. "
            "The first batch of a kind takes longer (`first` in the JSON); where none leaves its place, all do."
            if gpu
            else " Ratios are of CPU seconds."
        )
    )
    report.figures = {"device": what, "runs": [asdict(run) for run in runs]}
    return report


def _gpu_bars(report: Report, run: Run) -> None:
    asked = ASKED.get((run.shape, run.batch))
    if asked is not None:
        report.bars.append(
            Bar(
                name=f"{run.shape}, batch {run.batch}: x real time",
                value=f"{run.real_time:.0f}",
                asked=f"{asked:.0f} on an H200-class GPU",
                met=run.real_time >= asked,
            )
        )
    if run.batch == GPU_BATCHES[-1]:
        report.bars.append(
            Bar(
                name=f"{run.shape}, batch {run.batch}: share of the memory's bound",
                value=f"{run.bound / run.wall:.2f}",
                asked=f"{SHARE_ASKED}",
                met=run.bound >= SHARE_ASKED * run.wall,
            )
        )
