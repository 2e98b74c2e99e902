from __future__ import annotations

import pytest

from service.views import WhyReason


async def panel(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:do:", 4))
    (shown,) = stage.private(stage.ann)
    return shown


async def test_the_panel_is_private_and_has_everything(stage, ids):
    shown = await panel(stage, ids)
    *rows, (download,) = [row.children for row in shown.components]
    assert [[item.label for item in row] for row in rows] == [
        [*"ABCD"],
        ["Why this clip", "Lineage", "How to play this", "Keep", "Broken audio"],
        ["Change its mood", "Longer version", "Branch to a thread", "All bad", "For me"],
    ]
    assert [one.label for one in download.options] == ["WAV", "MIDI", "Stems", "Sheet music"]
    assert stage.private(stage.bob) == []


async def test_a_long_answer_loses_its_last_lines_alone(stage, ids):
    reason = WhyReason(
        words="slower", strength=0.8, certainty=0.9, alike=7, liked=6,
        moved=(("_long_ words " * 9, 1.0), ("other *words* " * 9, -1.0)),
    )  # fmt: skip
    stage.world.clips.reasons = (reason,) * 5
    stage.world.clips.nearest = (("_more_ of *these* words " * 9, 1.0),) * 3
    shown = await panel(stage, ids)
    await stage.ann.click(shown, label="Why this clip")
    text = stage.private(stage.ann)[-1].content
    assert "Chance that you like it: **70%**" in text
    assert text.count("for it: slower") == 5


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Why this clip", "Chance that you like it: **70%**"),
        ("Lineage", "← #2"),
        ("Keep", "stays for good"),
        ("How to play this", "| Ebmaj7 | Cm7 F7 |"),
        ("How to play this", "capo on fret 1, play it as if it were in D"),
    ],
)
async def test_answers_appear_on_the_panel(stage, ids, label, words):
    shown = await panel(stage, ids)
    await stage.ann.click(shown, label=label)
    (after,) = stage.private(stage.ann)
    assert after.id == shown.id
    assert words in after.content
    assert after.components


async def test_picking_another_clip(stage, ids):
    shown = await panel(stage, ids)
    await stage.ann.click(shown, label="C")
    (shown,) = stage.private(stage.ann)
    assert "Clip C" in shown.content
    await stage.ann.click(shown, label="Keep")
    assert stage.world.clips.kept == [1013]


async def test_the_panel_works_after_a_restart(stage, ids):
    shown = await panel(stage, ids)
    await stage.env.restart_bot(stage.new_bot())
    await stage.ann.click(shown, label="Keep")
    assert stage.world.clips.kept == [1011]


async def download(stage, ids, shown, kind):
    await stage.ann.select(shown, custom_id=ids(shown, "tb:more:1:1:download"), values=[kind])


async def test_downloads_and_for_me_are_private_files(stage, ids):
    shown = await panel(stage, ids)
    for kind in ("wav", "midi", "stems", "musicxml"):
        await download(stage, ids, shown, kind)
    await stage.ann.click(shown, label="For me")
    files = [one.attachments[0].filename for one in stage.private(stage.ann) if one.attachments]
    assert files == [
        *(f"A-lofi-84bpm{end}" for end in (".wav", ".mid", "-stems.zip", ".musicxml")),
        "lofi-84bpm.mp3",
    ]
    assert "80%" in stage.private(stage.ann)[-1].content


async def test_a_file_too_large_for_discord_gets_a_sentence(stage, ids):
    shown = await panel(stage, ids)
    stage.world.exports.data = b"x" * (26 * 2**20)
    await download(stage, ids, shown, "stems")
    assert "26 MiB" in stage.private(stage.ann)[-1].content


async def test_broken_and_all_bad_answer_with_the_receipt(stage, ids):
    shown = await panel(stage, ids)
    await stage.ann.click(shown, label="Broken audio")
    assert "**A** 🔧" in stage.private(stage.ann)[-1].content
    await stage.ann.click(shown, label="All bad")
    assert stage.private(stage.ann)[-1].content.count("😖") == 4


async def test_branch_from_the_panel(stage, ids):
    shown = await panel(stage, ids)
    await stage.ann.click(shown, label="Branch to a thread")
    (thread,) = stage.channel.threads
    assert stage.world.runs.calls[-1] == ("branch", 1011)
    assert stage.world.runs.by_id(2).channel_id == thread.id


async def test_a_clip_without_chords_says_so_on_the_panel(stage, ids):
    stage.world.exports.told = {}
    shown = await panel(stage, ids)
    await stage.ann.click(shown, label="How to play this")
    assert "cannot say how to play" in stage.private(stage.ann)[-1].content


async def test_the_panel_of_a_vanished_round(stage, ids):
    message = await stage.start()
    stage.world.runs.rounds.clear()
    await stage.ann.click(message, custom_id=ids(message, "tb:do:", 4))
    assert "not there any more" in stage.private(stage.ann)[0].content
