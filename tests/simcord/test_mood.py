from __future__ import annotations

import re

from bot.ids import MoodAction
from domain.run import RunState


def text_of(stage, who):
    return stage.private(who)[-1].content


def labels_of(shown) -> list[str]:
    return [
        item.label for row in shown.components for item in row.children if hasattr(item, "label")
    ]


def bar_of(text: str, word: str) -> int:
    """Return how many cells of the bar beside ``word`` are filled."""
    return re.search(rf"{word} ([█░]+)", text)[1].count("█")


async def mood(stage, who=None, **options):
    await (who or stage.ann).slash(stage.channel, "mood", **options)
    return stage.private(who or stage.ann)[-1]


async def press(stage, shown, label, who=None):
    await (who or stage.ann).click(shown, label=label)
    return stage.private(who or stage.ann)[-1]


async def pick(stage, shown, action, value, ids):
    panel = re.search(r"tb:mood:(\d+):", ids(shown, "tb:mood:"))[1]
    await stage.ann.select(shown, custom_id=f"tb:mood:{panel}:{action}", values=[value])
    return stage.private(stage.ann)[-1]


async def test_the_panel_is_private_and_fits(stage):
    shown = await mood(stage)
    assert "the middle of everything" in shown.content
    assert "121 bpm · C major · 4/4" in shown.content
    assert bar_of(shown.content, "calm") == 7
    assert len(shown.content) <= 2000
    assert len(shown.components) <= 5
    assert all(len(row.children) <= 5 for row in shown.components)
    assert stage.private(stage.bob) == []


async def test_the_chart_follows_every_step_and_the_ends_answer_in_words(stage):
    shown = await mood(stage)
    for cells in (8, 9, 10):
        shown = await press(stage, shown, "+")
        assert bar_of(shown.content, "calm") == cells
    shown = await press(stage, shown, "+")
    assert "This is as driving as it gets." in shown.content
    assert bar_of(shown.content, "calm") == 10
    for cells in (7, 4, 1, 0):
        shown = await press(stage, shown, "--")
        assert bar_of(shown.content, "calm") == cells
    shown = await press(stage, shown, "--")
    assert "This is as calm as it gets." in shown.content
    shown = await press(stage, shown, "Undo")
    assert bar_of(shown.content, "calm") == 1
    shown = await press(stage, shown, "Reset")
    assert "Changed" not in shown.content
    assert bar_of(shown.content, "calm") == 7
    assert len(stage.private(stage.ann)) == 1


async def test_another_feature_and_key_mode_and_metre(stage, ids):
    shown = await mood(stage)
    shown = await pick(stage, shown, MoodAction.FEATURE, "tempo", ids)
    shown = await press(stage, shown, "++")
    assert "▸ 133 bpm" in shown.content
    for value in ("key:2", "mode:0", "time_signature:3"):
        shown = await pick(stage, shown, MoodAction.TONE, value, ids)
    assert "133 bpm · D minor · 3/4" in shown.content
    assert "tempo 121 → 133, key C → D, mode major → minor, metre 4/4 → 3/4" in shown.content
    shown = await pick(stage, shown, MoodAction.FEATURE, "loudness", ids)
    before = bar_of(shown.content, "soft")
    shown = await press(stage, shown, "-")
    assert bar_of(shown.content, "soft") == before - 1


async def test_starting_from_a_clip_shows_its_mood(stage):
    shown = await mood(stage, **{"from": "B"})
    assert "92 bpm · D dorian · 4/4" in shown.content
    assert bar_of(shown.content, "calm") == 4


async def test_starting_from_something_unknown_gets_a_sentence(stage):
    shown = await mood(stage, **{"from": "fnord"})
    assert "I know neither a clip nor a genre or mood" in shown.content
    assert shown.components == []


async def test_words_change_it_and_unknown_ones_are_named(stage, ids):
    shown = await mood(stage)
    panel = ids(shown, "tb:mood:").split(":")[2]
    result = await stage.ann.click(shown, label="Say it in words")
    await stage.ann.submit_modal(result, {"words": "slower and *sadder*, fnord"})
    (shown,) = stage.private(stage.ann)
    assert "I do not know: fnord" in shown.content
    assert "happiness .60 → .30" in shown.content
    assert panel == ids(shown, "tb:mood:").split(":")[2]


async def test_listen_attaches_the_clip_to_the_same_message(stage, ids):
    shown = await mood(stage, **{"from": "B"})
    shown = await press(stage, shown, "Listen")
    (shown,) = stage.private(stage.ann)
    assert [file.filename for file in shown.attachments] == ["lofi-7000.mp3"]
    assert "sounds like this" in shown.content
    assert len(shown.components) == 5
    shown = await press(stage, shown, "+")
    assert "before your last change" in shown.content
    assert len(shown.attachments) == 1
    shown = await press(stage, shown, "Undo")
    assert "sounds like this" in shown.content
    shown = await press(stage, shown, "Listen")
    assert len(stage.world.moods.clips) == 1
    assert len(shown.attachments) == 1


async def test_progress_is_shown_with_cancel_and_the_panel_goes_on_working(stage):
    seen = []

    async def during():
        seen.append(stage.private(stage.ann)[-1])

    stage.world.moods.steps *= 3
    stage.world.moods.during = during
    shown = await mood(stage)
    await press(stage, shown, "Listen")
    labels = labels_of(seen[-1])
    assert "Cancel" in labels
    assert "Listen" not in labels
    assert "2nd in line, about 8 s" in seen[-1].content


async def test_a_failure_is_shown_on_the_panel(stage):
    stage.world.moods.error = "That could not be made: no strings attached"
    shown = await mood(stage)
    shown = await press(stage, shown, "Listen")
    assert "no strings attached" in shown.content
    assert shown.attachments == []
    assert "Listen" in labels_of(shown)


async def test_post_keep_and_a_second_post(stage, ids):
    shown = await mood(stage)
    shown = await press(stage, shown, "Listen")
    shown = await press(stage, shown, "Keep")
    assert stage.world.clips.kept == [7000]
    assert "stays for good" in shown.content
    old = shown
    shown = await press(stage, shown, "Post it")
    assert stage.world.moods.posted == [7000]
    assert "Posted for everybody" in shown.content
    button = next(
        one
        for row in shown.components
        for one in row.children
        if getattr(one, "label", "") == "Post it"
    )
    assert button.disabled
    assert old.id == shown.id


async def test_breeding_from_a_mood_goes_into_the_run_for_who_may_steer_and_a_branch_for_others(
    stage, ids
):
    await stage.start()
    shown = await mood(stage, stage.mod)
    shown = await press(stage, shown, "Listen", stage.mod)
    await stage.mod.click(shown, label="Breed from this")
    name, (directive, clips, _) = stage.world.runs.calls[-1]
    assert (name, directive.value, clips) == ("next", "vary", (7000,))
    shown = await mood(stage)
    shown = await press(stage, shown, "Listen")
    await stage.ann.click(shown, label="Breed from this")
    assert stage.world.runs.calls[-1] == ("branch", 7001)
    assert stage.world.runs.by_id(1).state is RunState.ACTIVE


async def test_a_panel_works_after_a_restart(stage):
    shown = await mood(stage)
    await stage.env.restart_bot(stage.new_bot())
    shown = await press(stage, shown, "+")
    assert bar_of(shown.content, "calm") == 8


async def test_a_panel_that_is_gone_or_somebody_elses_says_so(stage, ids):
    shown = await mood(stage)
    _, session = stage.world.moods.sessions[1]
    stage.world.moods.sessions[1] = (stage.bob.id, session)
    await stage.ann.click(shown, label="+")
    assert "somebody else's" in text_of(stage, stage.ann)
    stage.world.moods.sessions.clear()
    await stage.ann.click(shown, label="+")
    assert "/mood opens a new one" in text_of(stage, stage.ann)


async def test_the_more_panel_opens_a_mood_and_a_longer_version(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:do:", 4))
    (more,) = stage.private(stage.ann)
    await stage.ann.click(more, label="Change its mood")
    assert "D dorian" in text_of(stage, stage.ann)
    await stage.ann.click(more, label="Longer version")
    longer = stage.private(stage.ann)[-1]
    assert "A longer version" in longer.content
    assert len(longer.attachments) == 1
    assert "Post it" in labels_of(longer)
