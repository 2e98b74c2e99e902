from __future__ import annotations

import pytest

from bot import views
from bot.ids import Verb, parse
from domain.ids import ClipId, RunId

SLOTS = [(slot, ClipId(10 + slot)) for slot in range(1, 5)]


def custom_ids(view):
    return [item.custom_id for item in view.children]


@pytest.mark.parametrize("clips", [1, 2, 3, 4])
async def test_a_row_for_each_clip_and_one_of_verbs(clips):
    view = views.round_buttons(RunId(3), 7, SLOTS[:clips])
    rows = view.to_components()
    assert [len(row["components"]) for row in rows] == [5] * (clips + 1)
    assert len(set(custom_ids(view))) == 5 * (clips + 1)
    assert all(parse(one) is not None for one in custom_ids(view))


async def test_nothing_is_remembered_by_the_client():
    made = [
        views.round_buttons(RunId(3), 7, SLOTS),
        views.panel(RunId(3), 7, SLOTS, ClipId(11)),
        views.consent_buttons(),
        views.erase_buttons(),
        views.resume_button(RunId(3)),
        views.cancel_button(1),
        views.clip_select(RunId(3), 7, Verb.CROSS, SLOTS),
        views.remix_modal(RunId(3), 7, SLOTS, ClipId(11)),
        views.nothing(),
    ]
    assert all(view.is_finished() for view in made)


async def test_a_cross_needs_two_clips_and_a_variation_one():
    for verb, least in ((Verb.CROSS, 2), (Verb.VARY, 1)):
        (select,) = views.clip_select(RunId(3), 7, verb, SLOTS).children
        assert (select.min_values, select.max_values) == (least, 4)


async def test_texts_of_the_form_fit():
    modal = views.remix_modal(RunId(3), 7, SLOTS, ClipId(12)).to_dict()
    assert len(modal["title"]) <= 45
    for label in modal["components"]:
        assert len(label["label"]) <= 45
        assert len(label.get("description", "")) <= 100
