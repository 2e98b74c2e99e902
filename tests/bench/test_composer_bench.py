"""The composer's bench: its arithmetic, its second opinion on chords, its controls, and the page of sounds."""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np
import pytest

from bench.composer_figaro import judge, name_chords
from bench.composer_mutation import _apart
from bench.composer_part import Part, Share, Studio, beeps, distances, share
from bench.composer_variety import softmax_fit
from bench.listening_key import hear_key
from bench.listening_picture import GLYPHS, Canvas, ink, palette, spectrum_shades, ticks
from bench.registry import run_bench
from bench.show_sound import PAGE, PICTURE_LIMIT, SOUND_LIMIT, write_page
from domain.errors import UsageError
from domain.facets import FAMILIES, Facets
from generation.genome.extract import Sound


def test_a_share_has_wilsons_interval():
    found = Share(hits=95, count=100)
    low, high = found.bounds
    assert (round(low, 3), round(high, 3)) == (0.888, 0.978)
    assert Share(hits=0, count=0).bounds == (0.0, 1.0)
    assert share([True, False, True]).mean == pytest.approx(2 / 3)
    assert str(share([True])) == "1.000 [0.207, 1.000] of 1"


def test_findings_without_a_bar_are_neither_met_nor_missed():
    part = Part()
    part.add("a figure", "1")
    part.add("a bar", "2", asked="3", met=False)
    assert [finding.met for finding in part.findings] == [None, False]


def test_distances_are_root_mean_squares():
    rows = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert distances(rows)[0, 1] == pytest.approx(5 / np.sqrt(2))
    assert distances(rows)[1, 1] == pytest.approx(0.0, abs=1e-6)


def test_the_classifier_is_linear_and_learns():
    rng = np.random.default_rng(0)
    kinds = np.arange(90) % 3
    rows = np.eye(3)[kinds] * 4 + rng.normal(size=(90, 3))
    weights = softmax_fit(rows, kinds)
    scores = np.hstack([rows, np.ones((90, 1))]) @ weights
    assert (scores.argmax(axis=1) == kinds).mean() > 0.95


def chord(*pitches, start=0.0, length=4.0):
    return [
        Sound(instrument="p", percussion=False, start=start, length=length, pitch=p, velocity=90)
        for p in pitches
    ]


def test_figaros_rule_names_what_its_rules_name():
    sounds = [*chord(60, 64, 67), *chord(57, 60, 64, 67, start=4.0), *chord(62, 65, 68, start=8.0)]
    assert name_chords(sounds, 12, 1.0) == [(0, "")] * 4 + [(9, "m7")] * 4 + [(2, "dim")] * 4


def test_figaros_rule_has_no_name_for_an_open_fifth_and_none_for_nothing():
    chroma = np.zeros(12)
    assert judge(chroma) == (None, 10.0)
    chroma[[0, 7]] = 50.0
    assert judge(chroma) == (None, -100.0)


def test_mutants_are_measured_from_their_own_parent():
    space = np.zeros((5, 2))
    space[1:3] = 1.0  # the second strength's children stay at 0
    far = _apart([space], 2, 2)
    assert far.shape == (1, 2, 2)
    assert (far[0, 0] > 0).all()
    assert not far[0, 1].any()


def test_the_baseline_plays_the_same_notes():
    made = Studio().make(Facets(family="classical", tonic="D", mode="major"), 1, 8.0)
    heard = hear_key(beeps(made.notes), 44_100)
    assert (heard.tonic, heard.major) == (2, True)
    assert len(beeps(made.notes)) == round(made.notes.seconds * 44_100)


def test_the_same_clip_has_the_same_place():
    studio = Studio()
    facets = Facets(family="house")
    first, again, other = (studio.make(facets, seed, 4.0).audio.samples for seed in (1, 1, 2))
    assert np.array_equal(studio.embed(first), studio.embed(again))
    assert not np.array_equal(studio.embed(first), studio.embed(other))


def test_seeds_can_be_chosen_only_where_they_mean_something():
    with pytest.raises(UsageError, match="composer"):
        run_bench("latency", seeds=3)
    with pytest.raises(UsageError, match="sound"):
        run_bench("nonsense")


def test_a_picture_is_a_png_of_its_pixels():
    canvas = Canvas(30, 12)
    canvas.box((2, 3), (4, 5), "lead")
    data = canvas.png()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (30, 12)
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    rows = np.frombuffer(zlib.decompress(data[start : start + length]), np.uint8).reshape(12, 31)
    assert not rows[:, 0].any()
    assert (rows[3:8, 3:7] == ink("lead")).all()
    assert (rows[:, 1:] == ink("lead")).sum() == 20
    assert tuple(palette()[ink("white")]) == (255, 255, 255)


def test_letters_are_legible_boxes_of_their_own():
    assert all(len(rows) == 5 and set(rows) <= set("01234567") for rows in GLYPHS.values())
    assert len(set(GLYPHS.values())) >= len(GLYPHS) - 2
    canvas = Canvas(20, 8)
    assert canvas.write("I", (0, 0)) == 4
    assert (canvas.pixels == ink("black")).sum() == 9


def test_a_spectrogram_has_its_tone_where_the_axis_says():
    time = np.arange(44_100) / 44_100
    tone = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
    shades = spectrum_shades(tone, 44_100, (60, 90), (50.0, 16_000.0))
    ((_, place),) = ticks(50.0, 16_000.0, (1000.0,))
    loudest = shades.mean(axis=1).argmax()
    assert loudest == pytest.approx((1 - place) * 90, abs=2)


def test_the_page_is_made_by_one_call(tmp_path):
    report = write_page(tmp_path / "sound.md", ("drum_and_bass",))
    text = (tmp_path / "sound.md").read_text(encoding="utf-8")
    assert report.passed
    assert "## drum and bass" in text
    assert "prompt: `drum and bass`" in text
    assert (tmp_path / "sound" / "drum_and_bass.opus").read_bytes().startswith(b"OggS")


def test_the_page_shows_every_family_and_every_file_is_there():
    text = PAGE.read_text(encoding="utf-8")
    for family in FAMILIES:
        assert f"## {family.replace('_', ' ')}\n" in text
        picture, sound = (PAGE.with_suffix("") / f"{family}.{kind}" for kind in ("png", "opus"))
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size <= PICTURE_LIMIT
        assert sound.read_bytes().startswith(b"OggS")
        assert sound.stat().st_size <= SOUND_LIMIT
    for link in re.findall(r"\]\((sound/[^)]+)\)", text):
        assert (PAGE.parent / link).is_file()
