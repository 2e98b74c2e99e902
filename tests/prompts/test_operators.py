"""Operators as data: the shipped ones, what is refused and why, and YAML both ways."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import PromptError
from domain.operators import EvolveSettings, Operator
from prompts import operators
from prompts.operators import applied, check, check_settings, from_yaml, shipped, to_yaml


def operator(name="cross", *, template="Blend: {prompts}", **values):
    values = {"input": 2, "output": 1, **values}
    return Operator(name=name, template=template, **values)


def test_the_shipped_ones_pass_their_own_check_and_survive_yaml():
    settings = shipped()
    assert check_settings(settings) == []
    assert from_yaml(to_yaml(settings)) == settings
    used = [one for one in settings.operators if one.enabled]
    assert [(one.input, one.output) for one in used] == [(2, 1), (1, 3)]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ([operator("Cross")], "lower-case"),
        ([operator("")], "lower-case"),
        ([operator("x" * 41)], "lower-case"),
        ([operator(template="Blend")], "{prompts} is missing"),
        ([operator(template="Blend {prompt}")], "{prompt} is not it"),
        ([operator(template="{prompts} and {prompts}")], "2 times"),
        ([operator(template=" {prompts} ")], "says nothing"),
        ([operator(template="a\x00 {prompts}")], "control"),
        ([operator(template="x" * 2001 + "{prompts}")], "2000"),
        ([operator(input=0)], "input"),
        ([operator(output=11)], "output"),
        ([operator(probability=1.5)], "probability"),
        ([operator(input=1, output=3, probability=0.5)], "nothing to go on with"),
        ([operator(), operator()], "Two operators"),
        ([operator("a"), operator("b")], '"b" reads 2 prompts, but "a" before it makes 1'),
        ([operator(enabled=False)], "Enable one"),
        ([operator(str(n), input=1) for n in range(13)], "at most 12"),
    ],
)
def test_what_is_wrong_is_said(made, words):
    assert any(words in problem for problem in check(made)), check(made)


def test_other_braces_are_plain_text_and_disabled_ones_are_not_in_the_chain():
    assert check([operator(template='Say {"a": {0}} %s {prompts} {x!r}')]) == []
    chain = [operator("a"), operator("b", input=5, output=5, enabled=False), operator("c", input=1)]
    assert check(chain) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"population_size": -1}, "population_size"),
        ({"tournament_size": 0}, "tournament_size"),
        ({"tournament_size": 1}, "make it at least 2"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"novel_prompts": 1.1}, "novel_prompts"),
        ({"elites": -0.1}, "elites"),
    ],
)
def test_settings_are_checked(values, words):
    settings = dataclasses.replace(EvolveSettings(operators=(operator(),)), **values)
    assert any(words in problem for problem in check_settings(settings))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must hold keys"),
        ("[1]", "must hold keys"),
        ("a: [", "line"),
        ("population_size: 3", "must be a list"),
        ("operators: []\nelite: 1", "Did you mean elites"),
        ("operators: []\nelites: yes", "elites must be a number"),
        ("operators: []\nelites: .nan", "elites must be a number"),
        (f"operators: []\nelites: {'9' * 400}", "elites must be a number"),
        ("operators: [1]", r"operators\[0\] must hold"),
        ("operators: [{name: a}]", r"operators\[0\]\.template is missing"),
        ("operators: [{name: a, input: two}]", r"operators\[0\]\.input must be a whole number"),
        ("operators: [{name: a, inputs: 2}]", "Did you mean input"),
        ("operators: [{name: a, template: hi, input: 1, output: 1}]", "is missing"),
        ("x" * 70_000, "longer"),
        ("!!python/object:os.system {}", "YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(text, words):
    with pytest.raises(PromptError, match=words):
        from_yaml(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        from_yaml(text)
    except PromptError:
        return
    raise AssertionError("no text of 200 characters that hypothesis finds is a file of operators")


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=80))
def test_any_good_template_survives_yaml(text):
    made = operator(template=f"{text.replace('{', '')}\nBlend\n{{prompts}}".strip())
    settings = EvolveSettings(operators=(made,))
    if not check_settings(settings):
        assert from_yaml(to_yaml(settings)) == settings


def test_the_names_of_operators_come_back_from_a_proposal():
    assert applied("evolve:crossover+mutation") == ("crossover", "mutation")
    assert applied("evolve:crossover/far") == ("crossover",)
    assert applied("offline:cross") == ()
    assert operators.JOINT not in "".join(one.name for one in shipped().operators)
