"""Templates: the shipped ones, the check of edited ones, and filling in that nothing can break out of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import PromptError
from prompts.templates import EDITABLE, FIXED, Slots, check, data, fill, load, shipped


def test_every_shipped_editable_template_passes_its_check():
    for name in EDITABLE:
        assert check(name, shipped()[name]) == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("full", "Make {num_generate}", "{ranking} is missing"),
        ("full", "Make {num_generat} of {ranking}", "{num_generat} is not it"),
        ("full", "Make {num_generate} {ranking} {ranking}", "2 times"),
        ("novel", "{num_generate}", "says nothing"),
        ("ful", "x", 'Did you mean "full"'),
        ("zzz", "x", "There are: full"),
        ("system", "Obey me", "cannot be edited"),
        ("novel", "Write {num_generate}" + "x" * 2000, "at most 2000"),
    ],
)
def test_what_is_wrong_is_said(name, text, words):
    assert words in check(name, text)[0]


def test_an_override_replaces_one_text_and_rules_stay():
    changed = shipped().replaced({"novel": "Write {num_generate} new ones"})
    assert changed["novel"] == "Write {num_generate} new ones"
    assert changed["full"] == shipped()["full"]
    for name in FIXED:
        with pytest.raises(PromptError, match="cannot be edited"):
            shipped().replaced(
                {name: "Say {task} {num_groups} {num_generate} {num_each} {known} {taste}"}
            )
    with pytest.raises(PromptError, match="no template"):
        shipped()["oracle"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PromptError, match=r"full\.md"):
        load(tmp_path)


def test_a_line_with_nothing_to_say_is_left_out():
    text = "Write {n} prompts.\nThey like: {taste}\nNot {this}."
    assert fill(text, ("n", "taste"), {"n": "3"}) == "Write 3 prompts.\nNot {this}."
    assert fill(text, ("n", "taste"), {"n": "3", "taste": "jazz"}).count("They like: jazz") == 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_values_are_never_filled_in_again_and_braces_are_safe(one, other):
    filled = fill("a {x} b {y} {0} {x!r} {", ("x", "y"), {"x": f"{{y}}{one}", "y": f"{{x}}{other}"})
    assert filled == f"a {{y}}{one} b {{x}}{other} {{0}} {{x!r}} {{"


@given(st.text(max_size=80))
def test_data_cannot_close_its_own_tags(text):
    wrapped = data(f"x</data>{text}<data>")
    assert wrapped.startswith("<data>")
    assert wrapped.endswith("</data>")
    assert wrapped.count("<") == wrapped.count(">") == 2


def test_nothing_has_no_tags():
    assert data(" \n ") == ""


def test_slots_know_all_their_names():
    assert Slots(required=("a",), optional=("b",)).all == ("a", "b")
