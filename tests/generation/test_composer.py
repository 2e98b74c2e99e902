import hashlib
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from domain.clip import ClipFailure, ClipRequest
from domain.errors import GenerationError
from domain.facets import FAMILIES, TONICS, Facets
from generation.composer import VERSION, Composer
from generation.encode import decode, encode
from generation.planning.patches import family_of
from generation.planning.plan import make_plan
from generation.planning.theory import MELODIES, MINOR_MODES, SCALES
from generation.registry import Recipe, composer, create_generator
from generation.sounding.master import integrated_loudness, true_peak
from generation.writing.arrange import arrange
from tests.generation.measures import centroid, onsets, pulse, strokes_per_second

BEAT_FAMILIES = (
    "house",
    "techno",
    "trap",
    "rock",
    "funk",
    "disco",
    "chiptune",
    "synthwave",
    "metal",
    "pop",
)


def render(composer, prompt, seed=1, seconds=8.0):
    return composer.generate([ClipRequest(prompt=prompt, seed=seed, seconds=seconds)])[0]


def fingerprint(clip):
    return hashlib.sha256(clip.audio.samples.tobytes()).hexdigest()


def score_of(seed=1, seconds=8.0, **facets):
    return arrange(make_plan(Facets(**facets), seed, seconds))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_mastered_and_exactly_as_long_as_asked(clips, family):
    clip = clips[family]
    samples = clip.audio.samples
    assert samples.shape == (6 * 44_100, 2)
    assert samples.dtype == np.float32
    assert abs(clip.loudness + 16) < 0.5
    assert abs(integrated_loudness(samples.T) + 16) < 0.5
    assert 20 * np.log10(true_peak(samples.T)) <= -1.0
    assert np.abs(samples).max() < 0.9


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_begins_at_once_and_dies_away(clips, family):
    samples = clips[family].audio.samples
    loud = np.sqrt(np.mean(samples**2))
    assert np.sqrt(np.mean(samples[: int(0.5 * 44_100)] ** 2)) > 0.1 * loud
    assert np.abs(samples[-200:]).max() < 0.02
    blocks = np.square(samples[: 44_100 * 5].mean(axis=1)).reshape(-1, 4410).mean(axis=1)
    assert np.mean(blocks < 1e-6) < 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_notes_stay_in_the_key(clips, family):
    clip = clips[family]
    tonic = TONICS.index(clip.description["tonic"])
    mode = clip.description["mode"]
    scale = {(tonic + s) % 12 for s in SCALES[mode]}
    if mode == "blues" or family == "blues":
        scale |= {(tonic + s) % 12 for s in (*MELODIES["blues"], 10)}
    pitched = [n.pitch % 12 for p in clip.notes.parts if not p.percussion for n in p.notes]
    assert np.mean([p in scale for p in pitched]) > 0.85


@pytest.mark.parametrize("family", BEAT_FAMILIES)
def test_the_beat_can_be_measured_at_the_stated_tempo(clips, family):
    clip = clips[family]
    beat = 60 / clip.description["tempo"]
    strengths = [pulse(clip.audio.samples, beat * times) for times in (1, 2)]
    strength, found = max(strengths)
    assert strength > 0.15
    nearest = beat if found < 1.5 * beat else 2 * beat
    assert abs(found / nearest - 1) < 0.03


def test_same_request_same_samples(composer):
    prompts = ["warm lofi with vinyl crackle", "dark techno", "solo piano with rain sounds"]
    first = [fingerprint(render(composer, p)) for p in prompts]
    fresh = Composer(renderer="numpy")
    # Another order and another history of caches.
    second = [fingerprint(render(fresh, p)) for p in reversed(prompts)]
    assert first == second[::-1]


def test_same_request_same_samples_in_another_process(composer):
    prompt = "happy funk with trumpet"
    code = (
        "import hashlib\n"
        "from generation.registry import composer, create_generator\n"
        "from domain.clip import ClipRequest\n"
        f"r = ClipRequest(prompt={prompt!r}, seed=5, seconds=4.0)\n"
        "clip = create_generator(composer(renderer='numpy')).generate([r])[0]\n"
        "print(hashlib.sha256(clip.audio.samples.tobytes()).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": "."}
    out = subprocess.run(  # our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert out.stdout.strip() == fingerprint(render(composer, prompt, seed=5, seconds=4.0))


def test_another_seed_is_a_variation(composer):
    one, two = (render(composer, "deep house", seed=s) for s in (1, 2))
    assert one.description["family"] == two.description["family"] == "house"
    assert abs(one.description["tempo"] - two.description["tempo"]) < 12
    assert one.notes.parts != two.notes.parts


def test_other_prompts_sound_other(composer):
    prints = {
        fingerprint(render(composer, p, seconds=2.0)) for p in ("house", "deep house", "jazz")
    }
    assert len(prints) == 3


@pytest.mark.parametrize("seconds", [1.0, 1.7, 2.5, 8.3, 10.0])
def test_any_length_has_music(composer, seconds):
    for prompt in ("slow ambient drone", "fast punk"):
        clip = render(composer, prompt, seconds=seconds)
        assert clip.audio.frames == round(seconds * 44_100)
        assert abs(clip.loudness + 16) < 0.5


def test_a_minute_has_form_and_keeps_the_master(composer):
    clip = render(composer, "epic orchestral", seconds=60.0)
    assert clip.audio.frames == 60 * 44_100
    assert abs(clip.loudness + 16) < 0.5
    assert len({name for name, _ in clip.description["sections"]}) >= 3
    assert sum(bars for _, bars in clip.description["sections"]) <= clip.description["bars"]
    data = encode(clip.audio)
    assert abs(decode(data).seconds - 60) < 0.01
    assert len(data) < 2_000_000


def test_bad_requests_fail_alone(composer):
    seen = []
    out = composer.generate(
        [
            ClipRequest(prompt="jazz", seed=1, seconds=0.2),
            ClipRequest(prompt="jazz", seed=1, seconds=float("nan")),
            ClipRequest(prompt="jazz", seed=-4, seconds=2),
            ClipRequest(prompt="jazz", seed=1, seconds=2),
        ],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [isinstance(item, ClipFailure) for item in out] == [True, True, True, False]
    assert "1 to 60" in out[0].reason
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    "prompt", ["", "🎵" * 4000, "no drums no bass no chords no melody", "xyzzy", "\x00\n"]
)
def test_any_text_gives_sound_or_a_reason(composer, prompt):
    out = render(composer, prompt, seconds=1.5)
    assert isinstance(out, ClipFailure) or abs(out.loudness + 16) < 0.5


def test_an_ensemble_is_alone_unless_somebody_is_asked_in(composer):
    alone = render(composer, "solo piano", seconds=3.0).description["instruments"]
    assert {name for names in alone.values() for name in names} == {"piano"}
    joined = render(composer, "string quartet with drums", seconds=3.0).description["instruments"]
    assert joined["lead"] == ["violin"]
    assert "drums" in joined
    bare = render(composer, "lofi, no drums", seconds=3.0).description
    assert bare["family"] == "lofi"
    assert "drums" not in bare["instruments"]


def test_description_is_json_and_the_clip_pickles(clips):
    clip = clips["latin"]
    told = json.loads(json.dumps(clip.description))
    wanted = {
        "family",
        "tempo",
        "tonic",
        "mode",
        "metre",
        "swing",
        "chords",
        "instruments",
        "sections",
        "facets",
    }
    assert wanted <= set(told)
    assert told["family"] == "latin"
    again = pickle.loads(pickle.dumps(clip))  # noqa: S301  # our own bytes
    assert fingerprint(again) == fingerprint(clip)


def test_explicit_facets_are_obeyed_exactly(composer):
    facets = Facets(family="rock", tempo=97.0, tonic="F#", mode="dorian", metre=(3, 4))
    told = composer.compose(facets, seed=9, seconds=6.0).description
    assert (told["tempo"], told["tonic"], told["mode"], told["metre"]) == (
        97.0,
        "F#",
        "dorian",
        [3, 4],
    )


@pytest.mark.parametrize(
    "words", [("trumpet", "banjo"), ("piano",), ("cello", "flute", "harp", "sitar"), ("congas",)]
)
@pytest.mark.parametrize("family", ["house", "jazz", "ambient", "metal"])
def test_every_instrument_that_is_asked_for_plays(family, words):
    score = score_of(family=family, instruments=words)
    playing = {part.patch for part in score.parts}
    for word in words:
        if word == "congas":
            keys = {n.pitch for p in score.parts if p.percussion for n in p.notes}
            assert {63, 64} & keys
        else:
            assert playing & {word, *family_of(word)}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_unwanted_is_absent(family):
    score = score_of(family=family, without=("drums",))
    assert not any(part.percussion for part in score.parts)
    assert score.parts
    assert not any(p.role == "bass" for p in score_of(family=family, without=("bass",)).parts)
    bare = score_of(family=family, without=("melody",))
    assert not any(p.role in {"lead", "counter"} for p in bare.parts)
    quiet = score_of(family=family, without=("guitar", "piano", "synth"))
    assert not any(
        "guitar" in p.patch or "piano" in p.patch or "saw" in p.patch for p in quiet.parts
    )


@pytest.mark.parametrize(
    "family", ["lofi", "house", "rock", "jazz", "pop", "funk", "disco", "folk"]
)
@pytest.mark.parametrize("level", ["energy", "density"])
def test_more_means_more_notes(family, level):
    rates = [
        strokes_per_second(score_of(family=family, tonic="C", **{level: v}))
        for v in (0.05, 0.5, 0.95)
    ]
    assert rates[0] < rates[2]
    assert rates[0] <= rates[1] * 1.1
    assert rates[1] <= rates[2] * 1.1


@pytest.mark.parametrize("family", ["house", "jazz", "pop", "folk"])
def test_more_energy_is_heard_as_more_onsets(composer, family):
    heard = []
    for energy in (0.05, 0.95):
        clip = composer.compose(Facets(family=family, energy=energy), seed=2, seconds=6.0)
        heard.append(onsets(clip.audio.samples))
    assert heard[0] < heard[1]


@pytest.mark.parametrize("family", ["lofi", "techno", "rock", "ambient", "orchestral"])
def test_more_brightness_is_heard_as_more_treble(composer, family):
    heard = [
        centroid(
            composer.compose(Facets(family=family, brightness=b), seed=2, seconds=4.0).audio.samples
        )
        for b in (0.1, 0.5, 0.9)
    ]
    assert heard[0] < 0.9 * heard[1]
    assert heard[1] < 0.9 * heard[2]


def test_valence_chooses_the_mode():
    for family in ("pop", "house", "orchestral", "folk"):
        for seed in range(4):
            sad = make_plan(Facets(family=family, valence=0.1), seed, 8.0)
            glad = make_plan(Facets(family=family, valence=0.9), seed, 8.0)
            assert sad.mode in MINOR_MODES
            assert glad.mode not in MINOR_MODES


def test_families_tell_apart_by_sound(clips):
    """No two families agree in tempo, treble and business all at once."""
    rows = {
        f: (
            np.log2(c.description["tempo"]) * 4,
            np.log2(centroid(c.audio.samples)) * 2,
            np.log2(1 + strokes_per_second(c)) * 2,
        )
        for f, c in clips.items()
    }
    for one, a in rows.items():
        for other, b in rows.items():
            assert one == other or np.linalg.norm(np.subtract(a, b)) > 0.04, (one, other)
    assert np.std([r[1] for r in rows.values()]) > 0.5


@pytest.mark.parametrize(
    "words",
    [
        ("vinyl crackle",),
        ("rain sounds",),
        ("distorted",),
        ("filtered",),
        ("wide reverb",),
        ("bitcrush", "delay", "tremolo", "phaser", "wow and flutter", "fade in"),
    ],
)
def test_texture_words_change_the_sound(composer, words):
    plain = composer.compose(Facets(family="jazz", production=()), seed=1, seconds=3.0)
    made = composer.compose(Facets(family="jazz", production=words), seed=1, seconds=3.0)
    assert abs(made.loudness + 16) < 0.5
    assert fingerprint(made) != fingerprint(plain)


def test_the_generator_says_what_it_is():
    info = create_generator(composer(renderer="numpy")).info
    assert (info.name, info.version, info.stand_in_for) == (
        "composer",
        f"{VERSION}-numpy-TimGM6mb",
        "MusicGen",
    )
    assert info.details["renderer"] == "numpy"
    assert "GPL" in info.licence


def test_unknown_names_are_explained(tmp_path):
    with pytest.raises(GenerationError, match="composer"):
        create_generator(Recipe(loader="nothing"))
    with pytest.raises(GenerationError, match="numpy"):
        create_generator(composer(renderer="wave"))
    with pytest.raises(GenerationError, match="SoundFont"):
        create_generator(composer(soundfont=str(tmp_path / "absent.sf2")))
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(b"RIFFnot a soundfont at all")
    with pytest.raises(GenerationError, match=r"broken\.sf2"):
        create_generator(composer(soundfont=str(broken)))
