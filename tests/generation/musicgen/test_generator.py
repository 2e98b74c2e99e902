"""From a checkpoint on disk to mastered clips, and what is said when it cannot be."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="PYTORCH IS MISSING: MusicGen was not tested")

from domain.candidate import Brief  # noqa: E402
from domain.clip import ClipFailure, ClipRequest, Source, SourceUse  # noqa: E402
from domain.errors import GenerationError, NoRoomError  # noqa: E402
from evolution.numeric.states import StateTable, bank_prompts  # noqa: E402
from evolution.registry import create_searcher  # noqa: E402
from generation import telling  # noqa: E402
from generation.audio import Audio  # noqa: E402
from generation.encode import encode  # noqa: E402
from generation.finishing import FADE_OUT, finished  # noqa: E402
from generation.generator import Cancelled, Composition, Generator  # noqa: E402
from generation.musicgen import engine as engines  # noqa: E402
from generation.musicgen import generator as generators  # noqa: E402
from generation.musicgen.checkpoint import load  # noqa: E402
from generation.musicgen.engine import Engine, Order  # noqa: E402
from generation.musicgen.generator import MusicGen, _until  # noqa: E402
from generation.musicgen.loop import Stopped  # noqa: E402
from generation.registry import Recipe  # noqa: E402
from prompts.vocabulary import shipped  # noqa: E402


def recipe(folder, **changes):
    return Recipe(loader="musicgen", name="musicgen-tiny", folder=str(folder), **changes)


def request(prompt="slow lofi with piano", seed=1, seconds=1.0):
    return ClipRequest(prompt=prompt, seed=seed, seconds=seconds)


def test_requests_become_mastered_clips_whatever_else_is_asked_for(mono):
    generator: Generator = MusicGen.load(recipe(mono[0]))
    asked = [
        request(),
        request(seconds=2.0),
        request("fast techno", 2),
        request(seconds=0.5),
        request(" "),
        request("piano " * 300),
        request(seed=-1),
    ]
    done = []
    made = generator.generate(asked, progress=lambda *now: done.append(now))
    assert done[-1][0] == done[-1][1]
    clips, failures = made[:3], made[3:]
    assert all(isinstance(one, Composition) for one in clips)
    assert [round(one.audio.seconds, 2) for one in clips] == [1.0, 2.0, 1.0]
    assert {(one.audio.sample_rate, one.audio.channels) for one in clips} == {(44_100, 2)}
    assert all(-17 < one.loudness < -15 for one in clips)
    assert all(np.abs(one.audio.samples[[0, -1]]).max() < 0.01 for one in clips)
    assert [one.reason.split(";")[0].split(",")[0] for one in failures] == [
        "A clip of musicgen-tiny lasts 1 to 300 seconds",
        "The prompt is empty",
        "The prompt has 301 tokens",
        "A seed is a whole number from 0 to 2147483647.",
    ]
    assert all(isinstance(one, ClipFailure) for one in failures)
    alone = generator.generate([asked[2]])[0]
    assert np.array_equal(alone.audio.samples, clips[2].audio.samples)
    assert "NC" in generator.info.licence
    assert generator.info.version == "2-cpu-bfloat16-8"


def test_what_takes_long_before_and_after_the_steps_is_told(mono, monkeypatch):
    monkeypatch.setattr(telling, "EVERY", 0.0)
    generator = MusicGen.load(recipe(mono[0]))
    done: list[tuple[int, int]] = []
    generator.generate([request()], progress=lambda *now: done.append(now))
    first, last = done.index((1, 53)), done.index((53, 53))
    assert set(done[:first]) == {(0, 1)}, "the text encoder"
    assert len(done[last:]) > 10, "the codec"
    assert set(done[last:]) == {(53, 53)}

    def stop(*now: int) -> None:
        done.append(now)
        if done[-3:] == [(53, 53)] * 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        generator.generate([request()], progress=stop)
    monkeypatch.setattr(telling, "EVERY", 60.0)
    again: list[tuple[int, int]] = []
    generator.generate([request()], progress=lambda *now: again.append(now))
    assert again == [(step, 53) for step in range(1, 54)], "nothing of before is still called"


def test_what_a_clip_goes_on_from_is_told_layer_by_layer(mono):
    engine = Engine(load(mono[0], dtype=torch.float32))
    order = Order(said="slow jazz", seed=1, frames=20, begin=torch.zeros((4, 30), dtype=torch.long))
    told: list[tuple[int, int]] = []
    engine.write([order], lambda *now: told.append(now) or True)
    assert told[:2] == [(0, 1)] * 2, "two layers"
    with pytest.raises(Stopped):
        engine.write([order], lambda *_: False)


def test_a_stereo_model_has_two_different_sides(stereo):
    (clip,) = MusicGen.load(recipe(stereo[0])).generate([request()])
    assert not np.allclose(clip.audio.samples[:, 0], clip.audio.samples[:, 1])


def test_long_clips_go_on_from_their_own_end(mono, monkeypatch):
    monkeypatch.setattr(engines, "WINDOW", 40)
    monkeypatch.setattr(engines, "KEPT", 10)
    engine = Engine(load(mono[0], dtype=torch.float32))
    orders = [Order(said="slow jazz", seed=seed, frames=100) for seed in (1, 2)]
    counted = []
    codes = engine.write(orders, lambda *now: counted.append(now) or True)
    assert [one.shape for one in codes] == [(4, 100)] * 2
    assert counted[-1] == (3 * 43, 3 * 43)
    first = engine.write([Order(said="slow jazz", seed=1, frames=40)])[0]
    assert torch.equal(codes[0][:, :40], first)
    on = Order(said="slow jazz", seed=5, frames=20, begin=first)
    longer = engine.write([on])[0]
    assert longer.shape == (4, 60)
    assert torch.equal(longer[:, :40], first)
    with pytest.raises(Stopped):
        engine.write(orders, lambda done, _: done < 50)


@pytest.mark.parametrize("kind", ["mono", "stereo"])
def test_sound_of_any_rate_becomes_codes_to_go_on_from(kind, request):
    model = load(request.getfixturevalue(kind)[0])
    wave = np.sin(np.arange(22_050, dtype=np.float32) / 9)[:, None]
    codes = model.codec.codes(Audio(samples=wave, sample_rate=22_050))
    assert codes.shape == (1, model.decoder.shape.codebooks, 50)
    (sound,) = model.codec.sound(codes)
    assert sound.shape == (32_000, model.decoder.shape.channels)


def test_prompts_are_read_once_and_by_themselves(mono):
    text = load(mono[0]).text
    alone = text.states("fast techno")
    assert text.states("fast techno") is alone
    (row,) = text.prompts(["fast techno"], 64).states
    both = text.prompts(["slow lofi with piano and bass", alone], 64)
    assert torch.equal(both.states[1], row)
    assert both.mask.sum(dim=1).tolist() == [7, 3]
    assert not both.states[1, 3:].any()


def test_states_in_place_of_words_give_the_clip_of_the_words(mono):
    generator = MusicGen.load(recipe(mono[0]))
    assert generator.capabilities.embedding == 32
    states = generator.states_of("fast techno")
    assert states.shape == (3, 32)
    assert states.dtype == np.float32
    words = request("fast techno", 3)
    said = dataclasses.replace(words, prompt="", embedding=states.tobytes())
    other = dataclasses.replace(said, embedding=(0.5 * states).tobytes())
    with_words, with_states, with_other = generator.generate([words, said, other])
    assert np.array_equal(with_words.audio.samples, with_states.audio.samples)
    assert not np.array_equal(with_words.audio.samples, with_other.audio.samples)
    alone = generator.generate([other])[0]
    assert np.array_equal(alone.audio.samples, with_other.audio.samples)


async def test_a_search_over_embeddings_breeds_with_it(mono):
    generator = MusicGen.load(recipe(mono[0]))
    states = {one: generator.states_of(one) for one in bank_prompts(shipped())[:12]}
    states |= {one: generator.states_of(one) for one in ("slow jazz with piano", "fast techno")}
    searcher = create_searcher("snes-tokens", seed=2, table=StateTable.of(states, shipped()))
    proposals = await searcher.ask(Brief(count=3))
    asked = [
        ClipRequest(prompt=one.prompt, seed=one.seed, seconds=1.0, embedding=one.embedding)
        for one in proposals
    ]
    assert all(isinstance(one, Composition) for one in generator.generate(asked))


def test_what_is_wrong_with_an_embedding_is_said(mono):
    generator = MusicGen.load(recipe(mono[0]))
    wrong = [
        np.zeros(31, np.float32),
        np.zeros((257, 32), np.float32),
        np.full((2, 32), np.nan, np.float32),
    ]
    made = generator.generate(
        [dataclasses.replace(request(), embedding=one.tobytes()) for one in wrong]
    )
    assert [one.reason.split(";")[0] for one in made] == [
        "An embedding for musicgen-tiny has 32 numbers a token",
        "The embedding has 257 tokens, and 256 are read. Shorten it.",
        "The embedding has numbers that are not finite.",
    ]
    with pytest.raises(GenerationError, match="301 tokens"):
        generator.states_of("piano " * 300)


@pytest.mark.parametrize("kind", ["mono", "stereo"])
@pytest.mark.parametrize("length", [7, 30])
def test_a_clip_begins_with_its_draft_to_the_last_frame(kind, length, request, monkeypatch):
    monkeypatch.setattr(engines, "WINDOW", 40)
    monkeypatch.setattr(engines, "KEPT", 10)
    engine = Engine(load(request.getfixturevalue(kind)[0]))
    (whole,) = engine.write([Order(said="slow jazz", seed=4, frames=100)])
    part = Order(said="slow jazz", seed=4, frames=length, part=True)
    other = Order(said="fast techno", seed=5, frames=length + 3)
    assert torch.equal(engine.write([other, part])[1], whole[:, :length])
    assert torch.equal(engine.write([part])[0], whole[:, :length])


def test_a_draft_is_the_beginning_of_its_clip(mono, monkeypatch):
    monkeypatch.setattr(generators, "DRAFT", 1.0)
    generator = MusicGen.load(recipe(mono[0]))
    assert generator.capabilities.drafts
    whole = request(seconds=2.0)
    draft = dataclasses.replace(whole, draft=True)
    short = dataclasses.replace(draft, seconds=1.0)
    one, two, three = generator.generate([whole, draft, short])
    assert [round(clip.audio.seconds, 2) for clip in (one, two, three)] == [2.0, 1.0, 1.0]
    assert np.array_equal(generator.generate([draft])[0].audio.samples, two.audio.samples)
    begun, drafted = (clip.audio.samples[400:35_000, 0] for clip in (one, two))
    assert np.corrcoef(begun, drafted)[0, 1] > 0.99


def test_a_draft_of_a_continuation_has_what_it_goes_on_from(mono, monkeypatch):
    monkeypatch.setattr(generators, "DRAFT", 1.0)
    generator = MusicGen.load(recipe(mono[0]))
    out = io.BytesIO()
    soundfile.write(out, np.sin(np.arange(32_000) / 30), 32_000, format="WAV")
    source = Source(audio=out.getvalue(), use=SourceUse.CONTINUE)
    asked = dataclasses.replace(request(seconds=4.0), source=source, draft=True)
    assert round(generator.generate([asked])[0].audio.seconds, 2) == 2.0


def decibels(samples):
    return 10 * np.log10(float((samples**2).mean()))


def test_who_goes_on_from_a_clip_does_not_hear_it_fade_out(mono, monkeypatch):
    """What the codec hears is as loud at its end as before: that is what is at the seam."""
    generator = MusicGen.load(recipe(mono[0]))
    rate = 32_000
    tone = np.sin(np.arange(3 * rate, dtype=np.float32) * (2 * np.pi * 400 / rate))[:, None]
    clip = finished(0.1 * tone, rate, {})
    file = encode(clip.audio)
    codec = generator._ready().model.codec
    heard = []

    def codes(audio):
        heard.append(audio)
        return type(codec).codes(codec, audio)

    monkeypatch.setattr(codec, "codes", codes)
    for end in (0.0, clip.audio.seconds - FADE_OUT):
        source = Source(audio=file, use=SourceUse.CONTINUE, end=end)
        asked = dataclasses.replace(request(seconds=4.0), source=source)
        assert round(generator.generate([asked])[0].audio.seconds, 2) == 4.0
    faded, loud = heard
    short = round(0.02 * loud.sample_rate)
    before = decibels(loud.samples[-10 * short : -3 * short])
    assert decibels(faded.samples[-short:]) < before - 10, "what would be heard at the seam"
    assert decibels(loud.samples[-short:]) == pytest.approx(before, abs=0.5)
    assert loud.seconds == pytest.approx(2.94)
    assert codec.codes(loud).shape[2] == 147


@pytest.mark.parametrize(
    ("end", "frames"), [(0.0, 100), (0.001, 1), (0.58, 29), (1.0, 50), (9.0, 100)]
)
def test_a_sound_is_heard_up_to_its_end_in_whole_frames(end, frames):
    sound = Audio(samples=np.zeros((64_000, 1), dtype=np.float32), sample_rate=32_000)
    assert _until(sound, end).frames == frames * 640


def broken(folder, tmp_path, change):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    change(copy)
    return copy


def cut(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])


def other(folder):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_type": "bert"}))


def lacking(folder):
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    file = folder / "model.safetensors"
    tensors = load_file(file)
    del tensors["decoder.lm_heads.3.weight"]
    save_file(tensors, file, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "config.json").unlink(), "models pull musicgen-small"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no weights"),
        (other, "of the type 'bert' and not MusicGen"),
        (cut, "damaged or cut off"),
        (lacking, "lacks 1 tensors, such as decoder.lm_heads.3.weight"),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_said(mono, tmp_path, change, words):
    with pytest.raises(GenerationError, match=words):
        load(broken(mono[0], tmp_path, change))


def test_a_device_that_is_not_there_is_said(mono):
    if torch.cuda.is_available():
        pytest.skip("THERE IS A GPU: its absence was not tested")
    with pytest.raises(GenerationError, match="PyTorch sees no GPU"):
        MusicGen.load(recipe(mono[0], device="cuda:0"))


def test_batches_are_halved_when_memory_runs_out(mono, monkeypatch):
    generator = MusicGen.load(recipe(mono[0], batch=4))
    generator.prepare()
    engine = generator._engine
    write = engine.write

    def narrow(orders, on_step=None):
        if engine.bucket > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return write(orders, on_step)

    monkeypatch.setattr(engine, "write", narrow)
    with pytest.raises(NoRoomError, match="3 clips do not fit"):
        generator.generate([request(seed=seed) for seed in range(3)])
    assert generator.capabilities.batch == 2
    assert generator.info.version.endswith("-2")
    assert all(isinstance(one, Composition) for one in generator.generate([request(), request()]))


def test_a_batch_that_was_made_smaller_is_filled_up_no_further(mono, monkeypatch):
    sizes = []
    whole = engines.Batch

    def narrow(decoder, prompts, *, seeds, **given):
        sizes.append(len(seeds))
        if len(seeds) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(decoder, prompts, seeds=seeds, **given)

    monkeypatch.setattr(engines, "Batch", narrow)
    monkeypatch.setattr(engines, "least_rows", lambda decoder: 64)  # filled up, as on a GPU
    generator = MusicGen.load(recipe(mono[0], batch=8))
    assert isinstance(generator.generate([request()])[0], Composition)
    assert sizes == [8, 4, 2]
    assert generator.info.version.endswith("-2")
    generator.release()
    assert isinstance(generator.generate([request()])[0], Composition)
    assert sizes == [8, 4, 2, 2], "what fits is still known when it is loaded again"
