"""The shipped vocabulary is large, sound and quick; a broken one names what is wrong."""

import shutil
import subprocess
import sys
import time

import pytest

from domain.errors import PromptError
from domain.facets import FAMILIES, Facets
from prompts.entries import Kind
from prompts.levels import AXES
from prompts.loading import FOLDER, load
from prompts.reader import read
from prompts.vocabulary import Vocabulary, shipped


def test_it_is_large():
    words = shipped()
    assert len(words.genres) >= 250
    assert len(words.instruments) >= 120
    assert len(words.moods) >= 110
    assert sum(len(mood.aliases) + 1 for mood in words.moods.values()) >= 400
    assert len(words.textures) >= 50
    assert len(words.production) >= 35
    assert len(words.uses) >= 40
    assert len(words.eras) >= 15
    assert set(words.families) == set(FAMILIES)
    assert all(len(words.genres_of(family)) >= 7 for family in FAMILIES)


def test_every_word_and_alias_reads_as_itself():
    words = shipped()
    for name, genre in words.genres.items():
        for spelling in (name, *genre.aliases):
            assert words.genre(spelling) is genre, spelling
            assert read(spelling).genre == name, spelling
    for name, instrument in words.instruments.items():
        for spelling in (name, *instrument.aliases):
            assert words.instrument(spelling) is instrument
            assert read(spelling).instruments == (name,), spelling
    for name, mood in words.moods.items():
        for spelling in (name, *mood.aliases):
            assert read(spelling).moods == (name,), spelling


def test_places_stand_for_genres_and_hide_no_other_word():
    words = shipped()
    places = {key: hit.name for key, hit in words.phrases.items() if hit.kind is Kind.PLACE}
    assert len(places) >= 150
    for place, genre in places.items():
        assert genre in words.genres
        assert read(f"music from {place}").genre == genre, place
        assert read(f"techno from {place}").genre == "techno", place


def test_moods_have_many_words():
    words = {word for mood in shipped().moods.values() for word in (mood.name, *mood.aliases)}
    assert len(words) >= 800


def test_every_effect_names_a_level_that_facets_have():
    effects = [term.effect for kind in Kind for term in shipped().terms(kind).values()]
    for axis in AXES:
        assert any(getattr(effect, axis) for effect in effects), axis


def test_genres_are_as_acoustic_and_danceable_as_their_instruments_and_tempo():
    genres = shipped().genres
    assert genres["delta blues"].acousticness > genres["techno"].acousticness
    assert genres["disco"].danceability > genres["ambient"].danceability
    assert genres["gregorian chant"].instrumentalness < genres["nocturne"].instrumentalness
    assert genres["death metal"].loudness > genres["lullaby"].loudness


def test_it_loads_quickly():
    best = min(_seconds() for _ in range(5))
    assert best < 0.3  # thirty milliseconds on an idle core


def _seconds():
    start = time.process_time()
    Vocabulary(load())
    return time.process_time() - start


def test_importing_the_room_loads_no_file():
    code = (
        "import evolution.registry, prompts.writer, prompts.vocabulary as v, sys;"
        "sys.exit(v.shipped.cache_info().currsize or 'scipy' in sys.modules or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0


def test_leaving_out_a_layer_silences_all_of_it():
    words = shipped()
    assert words.covers("drums", "brushed drums")
    assert words.covers("drums", "808") is False
    assert words.covers("bass", "double bass")
    assert words.covers("guitar", "nylon guitar")
    assert words.covers("piano", "felt piano")
    assert words.covers("vocals", "choir")
    assert not words.covers("piano", "electric guitar")
    assert not words.covers("strings", "synth pad")


def test_settling_fills_in_what_the_words_imply():
    words = shipped()
    plain, dark = words.settle(read("techno")), words.settle(read("dark gloomy techno, no drums"))
    assert plain.tempo == 133.0
    assert plain.metre == (4, 4)
    assert dark.brightness < plain.brightness
    assert dark.valence < plain.valence
    assert "drum machine" in plain.instruments
    assert "drum machine" not in dark.instruments
    assert words.settle(read("techno at 100 bpm")).tempo == 100.0
    assert words.settle(Facets()).mode == "major"
    assert words.settle(read("sad")).mode == "minor"


@pytest.mark.parametrize(
    ("file", "old", "new", "names"),
    [
        ("genres.yaml", "tempo: 70-90", "tempo: fast", ("genres.yaml", "lofi")),
        ("genres.yaml", "feel: 28 50 32 40", "feel: 28 50", ("genres.yaml", "lofi")),
        (
            "genres.yaml",
            "with: electric piano /",
            "with: hovercraft /",
            ("genres.yaml", "hovercraft"),
        ),
        ("genres.yaml", "modes: minor dorian major", "modes: sideways", ("genres.yaml", "lofi")),
        ("genres.yaml", "\ntechno:\n", "\ntechnology:\n", ("genres.yaml", "technology")),
        (
            "instruments.yaml",
            "roles: chords lead",
            "roles: juggling",
            ("instruments.yaml", "piano"),
        ),
        ("moods.yaml", "feel: e-30 d-12", "feel: q-30 d-12", ("moods.yaml", "calm", "q-30")),
        ("moods.yaml", "aka: calming /", "aka: piano /", ("moods.yaml", "calm", "piano")),
        ("language.yaml", "largo: 50", "largo: soon", ("language.yaml", "largo")),
        ("places.yaml", "tango: buenos", "tengo: buenos", ("places.yaml", "tengo")),
        ("terms.yaml", "warm: {feel", "warm: {{feel", ("terms.yaml",)),
    ],
)
def test_a_wrong_entry_is_named_with_its_file(tmp_path, file, old, new, names):
    folder = tmp_path / "vocabulary"
    shutil.copytree(FOLDER, folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PromptError) as caught:
        load(folder)
    for name in names:
        assert name in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PromptError, match=r"instruments\.yaml"):
        load(tmp_path)
