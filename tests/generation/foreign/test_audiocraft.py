"""The worker's script with a stand-in for audiocraft: what it calls, and what it says when something is wrong."""

from __future__ import annotations

import ast
import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="PYTORCH IS MISSING: audiocraft's worker was not tested")

import torch

from domain.clip import ClipFailure, ClipRequest, Source, SourceUse
from domain.errors import GenerationError, NoRoomError
from domain.facets import Facets
from generation import serving, wire
from generation.composer import Composer
from generation.foreign import audiocraft_worker
from generation.foreign.audiocraft import with_chords
from generation.foreign.environment import WORKER
from generation.generator import Composition
from generation.registry import Recipe, create_generator
from tests.generation.foreign.conftest import HERE

STAND_IN = HERE / "stand_in"


@pytest.fixture
def generator(environment, tmp_path, monkeypatch):
    """Makes a generator of a model's name, and ends its process."""
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    made = []

    def make(name):
        recipe = Recipe(
            loader="audiocraft", name=name, folder=str(environment.folder), device="cpu"
        )
        made.append(create_generator(recipe))
        return made[-1]

    yield make
    for one in made:
        one.release()


@pytest.fixture
def maker(environment, tmp_path, monkeypatch):
    """Makes what serves a model, in this process: another one takes seconds to import PyTorch."""
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.syspath_prepend(str(STAND_IN))
    threads = torch.get_num_threads()

    def make(name):
        monkeypatch.setattr(sys, "argv", ["worker", *environment.model_arguments(name, "cpu")])
        return audiocraft_worker.Audiocraft(audiocraft_worker.arguments())

    yield make
    torch.set_num_threads(threads)
    for name in [one for one in sys.modules if one.partition(".")[0] == "audiocraft"]:
        del sys.modules[name]


def generate(maker, orders):
    return [wire.outcome_of(one) for one in maker.make(orders, lambda *_: None)]


def calls(tmp_path):
    return [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]


def request(prompt="slow jazz", seed=1, seconds=2.0, **more):
    return ClipRequest(prompt=prompt, seed=seed, seconds=seconds, **more)


def sound(seconds, channels=2, level=0.0):
    out = io.BytesIO()
    samples = np.full((round(seconds * 8000), channels), level, dtype=np.float32)
    soundfile.write(out, samples, 8000, format="WAV", subtype="FLOAT")
    return out.getvalue()


def test_magnet_makes_clips_from_seeds_of_their_own(generator, tmp_path):
    magnet = generator("magnet-small")
    assert (magnet.info.licence, magnet.capabilities.longest) == ("CC-BY-NC-4.0", 10.0)
    steps = []
    first, other, again = magnet.generate(
        [request(), request(seed=2), request()], progress=lambda *now: steps.append(now)
    )
    assert (first.audio.seconds, first.audio.sample_rate) == (2.0, 44_100)
    assert first.description["model"] == "facebook/magnet-small-10secs"
    assert np.array_equal(first.audio.samples, again.audio.samples)
    assert not np.array_equal(first.audio.samples, other.audio.samples)
    assert steps[-1] == (300, 300)
    assert calls(tmp_path) == [["generate", {"descriptions": ["slow jazz"]}]] * 3
    with pytest.raises(NoRoomError):
        magnet.generate([request("too big")])
    with pytest.raises(GenerationError, match=r"wrong in the generator \(RuntimeError\)"):
        magnet.generate([request("broken")])
    with pytest.raises(GenerationError, match=r"magnet-small's process ended \(status 9\)"):
        magnet.generate([request("crash")])
    assert isinstance(magnet.generate([request()])[0], Composition)
    assert isinstance(magnet.generate([request(seconds=11.0)])[0], ClipFailure)


def test_style_is_followed_as_closely_as_asked(maker, tmp_path):
    style = maker("musicgen-style")
    assert style.hello()["capabilities"]["sources"] == ["vary"]
    assert style.hello()["info"]["version"] == "1.4.0a2"

    def near(strength, seconds=6.0, prompt="slow jazz"):
        source = Source(audio=sound(seconds), use=SourceUse.VARY, strength=strength)
        return request(prompt, source=source)

    asked = [request(), near(0.0), near(1.0, 3.0), near(0.5, 1.0)]
    made = generate(style, [wire.order_of(one) for one in asked])
    assert [type(one) for one in made] == [Composition] * 3 + [ClipFailure]
    assert made[3].reason == "A style to follow lasts 1.5 s at least, not 1.0 s."
    assert calls(tmp_path) == [
        ["params", {"duration": 2.0, "beta": None}],
        ["generate", {"descriptions": ["slow jazz"]}],
        ["params", {"duration": 2.0, "beta": 5.0}],
        ["style", {"eval_q": 6, "excerpt_length": 4.5}],
        ["chroma", {"descriptions": ["slow jazz"], "shape": [1, 2, 48_000], "rate": 8000}],
        ["params", {"duration": 2.0, "beta": 5.0}],
        ["style", {"eval_q": 1, "excerpt_length": 3.0}],
        ["chroma", {"descriptions": ["slow jazz"], "shape": [1, 2, 24_000], "rate": 8000}],
    ]
    for file, words in (
        (b"no sound", "The sound to start from cannot be read"),
        (sound(2.0, channels=6), "A style to follow has one or two channels, not 6."),
        (sound(2.0, level=np.nan), "samples that are not numbers"),
    ):
        strange = Source(audio=file, use=SourceUse.VARY)
        bad, good = generate(
            style, [wire.order_of(request(source=strange)), wire.order_of(request())]
        )
        assert words in bad.reason
        assert isinstance(good, Composition)


def test_where_a_style_is_listened_to_comes_from_the_clip_alone(maker):
    style = maker("musicgen-style")
    source = Source(audio=sound(6.0), use=SourceUse.VARY)
    orders = [wire.order_of(request(seed=seed, source=source)) for seed in (1, 2, 1)]
    first, other, again = style.make(orders, lambda *_: None)
    assert first.samples == again.samples != other.samples


def test_jasco_plays_the_chords_of_a_description(maker, tmp_path):
    clip = Composer(renderer="numpy").compose(Facets(family="jazz"), seed=1, seconds=6.0)
    genome = clip.description["genome"]
    order = with_chords(request(seconds=6.0, description=genome))
    asked = order.said["chords"]
    assert [name for name, _ in asked][:2] == [genome["bars"][0]["chords"][0], "Ebm9"]
    assert [begin for _, begin in asked] == sorted(begin for _, begin in asked)
    assert asked[-1][1] < 6.0
    orders = [with_chords(request()), with_chords(request(description=genome))]
    plain, played = generate(maker("jasco-400m"), orders)
    assert isinstance(plain, Composition)
    assert isinstance(played, Composition)
    without, given = calls(tmp_path)
    assert without == ["generate_music", {"descriptions": ["slow jazz"], "chords": None}]
    assert given[1]["chords"][0] == ["Bb", 0.0]
    assert with_chords(request(description={"format": 1})).said.get("chords") is None


@pytest.mark.parametrize(
    ("chords", "known"),
    [
        ([], []),
        ([["C", 1.5]], [("C", 0.0)]),
        ([["Am9", -1.0], ["Cmaj9", 0.0], ["G9", 2.0]], [("C", 0.0), ("G7", 2.0)]),
        ([["Dm7", 0.0], ["F#dim7", 1.0], ["A#sus4", 2.0]], [("Dm7", 0.0), ("Bb", 2.0)]),
        ([["Am(maj7)", 0.0], ["Am6", 3.0]], [("Am", 0.0), ("Am", 3.0)]),
    ],
)
def test_chords_are_said_in_the_words_of_the_model(chords, known):
    mapping = {"C": 0, "Am": 1, "G7": 2, "Bb": 3, "Dm7": 4}
    assert audiocraft_worker.known_chords(chords, mapping) == known


def test_what_is_missing_is_said(maker, generator, environment, monkeypatch):
    environment.chords.unlink()
    with pytest.raises(serving.Failed, match="--pull jasco-400m"):
        maker("jasco-400m")
    monkeypatch.setenv("ABSENT", "1")
    with pytest.raises(
        serving.Failed, match=r"weights of magnet-small are not here .* --pull magnet-small"
    ):
        maker("magnet-small")
    found = audiocraft_worker.checked()
    assert (found["audiocraft"], found["kinds"]) == ("1.4.0a2", ["magnet", "jasco", "style"])
    monkeypatch.delattr(sys.modules["audiocraft"].models, "JASCO")
    with pytest.raises(serving.Failed, match="cannot play jasco-400m: it came from PyPI"):
        maker("jasco-400m")
    monkeypatch.delattr(sys.modules["audiocraft"].models.MusicGen, audiocraft_worker.STYLE)
    assert audiocraft_worker.checked()["kinds"] == ["magnet"]
    with pytest.raises(GenerationError, match="audiocraft has no model 'magnet-huge'"):
        generator("magnet-huge")
    environment.python.unlink()
    with pytest.raises(GenerationError, match="magnet-small cannot be started"):
        generator("magnet-small").prepare()


@pytest.mark.parametrize(("device", "place"), [("auto", 0), ("cuda", 0), ("cuda:1", 1)])
def test_it_takes_no_more_than_the_settings_allow(maker, environment, monkeypatch, device, place):
    recipe = Recipe(
        loader="audiocraft",
        name="magnet-small",
        folder=str(environment.folder),
        device=device,
        options=(("memory", "4"), ("threads", "3")),
    )
    command = create_generator(recipe)._program.command
    taken = []
    monkeypatch.setattr(torch, "set_num_threads", taken.append)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda place: SimpleNamespace(total_memory=16e9)
    )
    monkeypatch.setattr(
        torch.cuda,
        "set_per_process_memory_fraction",
        lambda part, place: taken.append((part, place)),
    )
    monkeypatch.setattr(sys, "argv", list(command[2:]))
    audiocraft_worker.Audiocraft(audiocraft_worker.arguments())
    assert taken == [3, (0.25, place)]

    def too_large(name, device=None):
        raise torch.cuda.OutOfMemoryError

    monkeypatch.setattr(sys.modules["audiocraft"].models.MAGNeT, "get_pretrained", too_large)
    with pytest.raises(serving.Failed, match="do not fit into the memory of the GPU"):
        audiocraft_worker.Audiocraft(audiocraft_worker.arguments())


def test_without_audiocraft_it_is_sorry(monkeypatch):
    monkeypatch.setitem(sys.modules, "audiocraft", None)
    with pytest.raises(serving.Failed, match=r"not whole \(.*audiocraft.*\)\. Set it up again"):
        audiocraft_worker.checked()


def test_the_script_is_old_python_and_imports_only_what_its_environment_has():
    text = WORKER.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 9))
    named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in named if name.startswith("generation")} == {
        "generation.parcels",
        "generation.serving",
    }
