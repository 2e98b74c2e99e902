"""A person's words over a parent."""

import pytest

from domain.facets import Facets
from evolution.remix import remix
from prompts.reader import interpret, read
from prompts.vocabulary import shipped


def mixed(parent, words):
    return remix(read(parent), interpret(words), shipped())


def test_words_that_say_nothing_change_nothing():
    parent = "sad jazz with piano at 90 bpm"
    for words in ("", "zorp", "please make it nice"):
        assert mixed(parent, words) == read(parent)


def test_a_new_genre_brings_the_tempo_into_its_range():
    child = mixed("slow ambient with synth pad at 60 bpm", "make it drum and bass")
    assert child.family == "drum_and_bass"
    assert child.tempo == 168.0
    assert child.instruments == ("synth pad",)


def test_a_new_genre_drops_the_old_metre_unless_it_is_said():
    assert mixed("jig in 6/8", "techno").metre is None
    assert mixed("jig in 6/8", "techno in 5/4").metre == (5, 4)


def test_a_forbidden_instrument_can_be_asked_back():
    child = mixed("techno without drums", "with drums")
    assert child.instruments == ("drums",)
    assert child.without == ()


def test_a_swap_forbids_nothing():
    child = mixed("folk with banjo and fiddle", "swap the banjo for a harp")
    assert set(child.instruments) == {"harp", "fiddle"}
    assert child.without == ()


def test_a_removed_word_goes_and_the_others_stay():
    child = mixed("sad dreamy jazz with reverb, vinyl crackle", "not sad, less reverb")
    assert child.moods == ("dreamy",)
    assert child.production == ("vinyl crackle",)


def test_a_removed_genre_leaves_the_family_open_to_the_writer():
    child = mixed("bebop with trumpet", "no bebop")
    assert child.genre is None
    assert child.family == "jazz"


def test_a_said_mood_is_not_hidden_by_an_inherited_level():
    child = mixed("techno, overjoyed, with piano", "sad")
    assert child.moods == ("sad",)
    assert child.valence is None
    assert shipped().settle(child).valence < 0.3


def test_slow_is_slow_for_the_genre():
    assert mixed("techno at 140 bpm", "slow").tempo == 126.0


@pytest.mark.parametrize(
    "words", ["faster", "much faster", "twice as fast", "brighter", "busier", "happier"]
)
def test_changes_stay_in_range_however_often_they_are_asked_for(words):
    facets = read("gabber at 210 bpm, dazzling, packed, overjoyed")
    for _ in range(6):
        facets = remix(facets, interpret(words), shipped())
    assert 40 <= facets.tempo <= 220
    for axis in ("energy", "density", "brightness", "valence"):
        level = getattr(facets, axis)
        assert level is None or 0 <= level <= 1


def test_what_is_at_the_bottom_already_is_not_taken_for_the_middle():
    still = read("dark ambient, gloomy")
    assert shipped().settle(still).energy == 0.0
    assert remix(still, interpret("less energetic"), shipped()).energy == 0.1
    assert remix(still, interpret("calmer"), shipped()).energy == 0.1


def test_every_step_down_is_heard():
    levels, facets = [], Facets(genre="house", family="house", brightness=0.9)
    for _ in range(4):
        facets = remix(facets, interpret("darker"), shipped())
        levels.append(facets.brightness)
    assert levels == [0.7, 0.5, 0.3, 0.1]
