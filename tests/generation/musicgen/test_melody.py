"""The melody model against transformers' own, token for token, and what it hears of a melody."""

from __future__ import annotations

import importlib
import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="PYTORCH IS MISSING: MusicGen was not tested")

from domain.clip import ClipFailure, ClipRequest, Source, SourceUse  # noqa: E402
from domain.errors import GenerationError  # noqa: E402
from generation.audio import Audio  # noqa: E402
from generation.generator import Composition  # noqa: E402
from generation.musicgen import engine as engines  # noqa: E402
from generation.musicgen.checkpoint import Kind, load  # noqa: E402
from generation.musicgen.chroma import CLASSES, HOP, RATE, SIZE, chroma, melody  # noqa: E402
from generation.musicgen.engine import Engine, Order  # noqa: E402
from generation.musicgen.loop import Batch, write  # noqa: E402
from generation.musicgen.sampling import Sampling  # noqa: E402
from generation.registry import Recipe, create_generator  # noqa: E402
from tests.generation.musicgen.conftest import MOMENTS, written_by_transformers  # noqa: E402

PROMPTS = ["slow lofi with piano and bass", "fast techno", "warm jazz with drums and rain"]
FRAMES = 30


def tune(moments, seed):
    """Return a melody (moments, 12)."""
    own = torch.Generator().manual_seed(seed)
    return torch.eye(CLASSES)[torch.randint(0, CLASSES, (moments,), generator=own)]


def tokens_of(text, prompts, length=64):
    """Return tokens and mask, filled up to one length as ours are."""
    rows = [text._tokenizer(one)["input_ids"] for one in prompts]
    tokens = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    return tokens, torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("moments", [0, 7, MOMENTS, 3 * MOMENTS])
def test_greedy_codes_are_those_of_transformers(tuned, guidance, moments):
    folder, model = tuned
    ours = load(folder, Kind.MELODY, dtype=torch.float32)
    tunes = [tune(moments, seed) if moments else None for seed in range(3)]
    more = {"input_features": torch.stack(tunes)} if moments else {}
    tokens, mask = tokens_of(ours.text, PROMPTS)
    theirs = written_by_transformers(model, tokens, mask, FRAMES, guidance, **more)
    prompts = ours.front.before(ours.text.prompts(PROMPTS, 64), tunes, 0)
    how = Sampling(guidance=guidance, temperature=0.0)
    batch = Batch(ours.decoder, prompts, seeds=[1, 2, 3], frames=FRAMES, how=how)
    codes = write(batch)
    assert torch.equal(codes, theirs)
    assert len({tuple(row.flatten().tolist()) for row in codes}) == 3
    begin = codes[:, :, :12]
    on = Batch(ours.decoder, prompts, seeds=[1, 2, 3], frames=FRAMES, how=how, begin=begin)
    assert on.first == 9
    assert torch.equal(write(on), codes)


def test_steps_on_a_masked_window_are_those_without_one(tuned):
    ours = load(tuned[0], Kind.MELODY, dtype=torch.float32)
    prompts = ours.front.before(ours.text.prompts(PROMPTS, 64), [tune(9, 1), None, tune(30, 2)], 0)
    plain, masked = (
        Batch(ours.decoder, prompts, seeds=[1, 2, 3], frames=FRAMES, how=Sampling())
        for _ in range(2)
    )
    with torch.inference_mode():
        for _ in range(masked.steps):
            seen = torch.arange(128) <= masked.at + masked.front
            masked.step(128, seen[None, None, None])
    assert torch.equal(masked.result(), write(plain))


def test_a_clip_depends_on_its_prompt_melody_and_seed_alone(tuned):
    engine = Engine(load(tuned[0], Kind.MELODY, dtype=torch.float32))

    def order(said=PROMPTS[0], seed=7, melody=9):
        return Order(said=said, seed=seed, frames=FRAMES, melody=tune(30, melody))

    (alone,) = engine.write([order()])
    others = [order(said, seed, melody) for said in PROMPTS for seed in (1, 2) for melody in (3, 4)]
    assert torch.equal(engine.write([*others[:3], order(), *others[3:]])[3], alone)
    for other in (order(said=PROMPTS[1]), order(seed=8), order(melody=8)):
        assert not torch.equal(engine.write([other])[0], alone)
    without = Order(said=PROMPTS[0], seed=7, frames=FRAMES)
    assert not torch.equal(engine.write([without])[0], alone)
    one_note = Order(said=PROMPTS[0], seed=7, frames=FRAMES, melody=torch.eye(CLASSES)[:1])
    assert torch.equal(engine.write([without])[0], engine.write([one_note])[0])


def test_a_long_clip_goes_on_in_its_melody(tuned, monkeypatch):
    monkeypatch.setattr(engines, "WINDOW", 40)
    monkeypatch.setattr(engines, "KEPT", 10)
    model = load(tuned[0], Kind.MELODY, dtype=torch.float32)
    asked = []
    before = model.front.before

    def spy(prompts, melodies, first):
        asked.append(first)
        return before(prompts, melodies, first)

    monkeypatch.setattr(model.front, "before", spy)
    (codes,) = Engine(model).write(
        [Order(said="slow jazz", seed=1, frames=100, melody=tune(50, 1))]
    )
    assert codes.shape == (4, 100)
    assert asked == [0, 30, 60]
    prompts = model.text.prompts(["slow jazz"], 64)
    melody, moment = tune(50, 1), round(50 / 50 * RATE / HOP)
    later = before(prompts, [melody], 50).front
    assert torch.equal(later, before(prompts, [melody.roll(-moment, 0)], 0).front)


def in_transformers_way(samples):
    """Return what transformers' extractor makes of sound, with PyTorch's Fourier transform for torchaudio's."""
    from transformers.audio_utils import chroma_filter_bank  # noqa: PLC0415

    # Past transformers' own loading, which refuses the whole file where torchaudio is missing.
    theirs = importlib.import_module(
        "transformers.models.musicgen_melody.feature_extraction_musicgen_melody"
    )

    class Extractor:
        n_fft = SIZE
        chroma_filters = torch.from_numpy(
            chroma_filter_bank(
                sampling_rate=RATE, num_frequency_bins=SIZE, tuning=0, num_chroma=CLASSES
            )
        ).float()

        @staticmethod
        def spectrogram(wave):
            window = torch.hann_window(SIZE)
            found = torch.stft(wave, SIZE, HOP, window=window, center=True, return_complex=True)
            return found.abs() ** 2 / (window**2).sum()

    extract = theirs.MusicgenMelodyFeatureExtractor._torch_extract_fbank_features
    return extract(Extractor(), torch.from_numpy(samples)[None])[0].numpy()


def notes(pitches, seconds=0.5, rate=RATE):
    time = np.arange(round(seconds * rate)) / rate
    waves = [np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time) for pitch in pitches]
    return np.concatenate(waves).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(36, 96), min_size=1, max_size=8), st.floats(0.1, 0.7), st.integers(0, 99)
)
def test_a_melody_is_heard_as_transformers_hears_it(pitches, seconds, seed):
    noise = np.random.default_rng(seed).normal(0, 0.05, 10**6)
    samples = notes(pitches, seconds)
    samples += noise[: len(samples)].astype(np.float32)
    assert np.array_equal(chroma(samples), in_transformers_way(samples))


@pytest.mark.parametrize("length", [1, 100, SIZE - 1, SIZE, SIZE + 1])
def test_short_sound_and_silence_are_heard_alike(length):
    wave = np.random.default_rng(length).normal(0, 0.3, length).astype(np.float32)
    for samples in (wave, np.zeros_like(wave)):
        assert np.array_equal(chroma(samples), in_transformers_way(samples))


@pytest.mark.parametrize("rate", [RATE, 44_100, 8000])
def test_notes_are_heard_as_their_pitch_classes(rate):
    pitches = [60, 64, 67, 70, 57]
    samples = notes(pitches, 1.0, rate)
    heard = melody(Audio(samples=np.stack([samples, samples], 1), sample_rate=rate)).argmax(axis=1)
    middles = [round((second + 0.5) * RATE / HOP) for second in range(5)]
    assert heard[middles].tolist() == [pitch % 12 for pitch in pitches]


def wav(samples, rate=RATE):
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="WAV")
    return out.getvalue()


def test_requests_with_a_melody_become_clips(tuned, mono):
    def made_by(folder, loader):
        return create_generator(Recipe(loader=loader, name="tiny", folder=str(folder)))

    follows = made_by(tuned[0], "musicgen-melody")
    assert follows.capabilities.sources == {SourceUse.CONTINUE, SourceUse.MELODY}

    def request(use, audio):
        source = Source(audio=audio, use=use)
        return ClipRequest(prompt="slow lofi", seed=3, seconds=1.0, source=source)

    high, low = wav(notes([72, 76, 79])), wav(notes([63, 61, 58]))
    clips = follows.generate(
        [
            request(SourceUse.MELODY, high),
            request(SourceUse.MELODY, low),
            request(SourceUse.CONTINUE, high),
            request(SourceUse.MELODY, b"no sound"),
            request(SourceUse.VARY, high),
        ]
    )
    assert all(isinstance(one, Composition) for one in clips[:3])
    assert not np.array_equal(clips[0].audio.samples, clips[1].audio.samples)
    assert all(isinstance(one, ClipFailure) for one in clips[3:])
    assert "cannot be read" in clips[3].reason
    assert clips[4].reason == "tiny cannot start from a clip."
    (plain,) = made_by(mono[0], "musicgen").generate([request(SourceUse.MELODY, high)])
    assert plain.reason == "tiny cannot follow a melody."


def test_a_checkpoint_of_the_other_kind_is_named(tuned, mono):
    with pytest.raises(GenerationError, match="'musicgen_melody' and not MusicGen"):
        load(tuned[0])
    with pytest.raises(GenerationError, match=r"'musicgen' and not MusicGen \(musicgen_melody\)"):
        load(mono[0], Kind.MELODY)
