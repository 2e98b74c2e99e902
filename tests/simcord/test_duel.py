from __future__ import annotations

from dataclasses import replace

import pytest

from domain.duel import Choice
from domain.errors import BusyError
from domain.vote import Consent


async def duel(stage, who=None):
    await (who or stage.mod).slash(stage.channel, "duel")
    return [message for message in stage.channel.history() if message.attachments][-1]


def button(message, action):
    return f"tb:duel:1:{action}"


async def test_one_message_with_two_files_and_five_buttons(stage):
    message = await duel(stage)
    assert [one.filename for one in message.attachments] == ["A.mp3", "B.mp3"]
    (row,) = message.components
    assert [item.label for item in row.children] == ["A", "B", "Tie", "Both bad", "Decide"]
    assert stage.private(stage.mod) == [], "whoever started it needs no second message"


async def test_an_answer_is_one_private_receipt_that_is_updated(stage):
    message = await duel(stage)
    await stage.ann.click(message, custom_id=button(message, "a"))
    (receipt,) = stage.private(stage.ann)
    assert "**A** is better" in receipt.content
    await stage.ann.click(message, custom_id=button(message, "tie"))
    (again,) = stage.private(stage.ann)
    assert again.id == receipt.id
    assert "neither is better" in again.content
    assert "May I learn" in again.content
    assert stage.private(stage.bob) == []
    await stage.ann.click(message, custom_id=button(message, "tie"))
    assert "taken back" in stage.private(stage.ann)[0].content
    shown = [one for one in stage.channel.history() if one.attachments][-1]
    assert (shown.content, shown.edited_at) == (message.content, None)


async def test_the_first_answer_asks_for_consent(stage):
    message = await duel(stage)
    await stage.ann.click(message, custom_id=button(message, "b"))
    (receipt,) = stage.private(stage.ann)
    await stage.ann.click(receipt, custom_id="tb:consent:yes")
    assert stage.world.listeners.said == {stage.ann.id: Consent.TASTE}
    assert "Thank you" in stage.private(stage.ann)[0].content


async def test_answers_work_after_a_restart(stage):
    message = await duel(stage)
    await stage.env.restart_bot(stage.new_bot())
    assert stage.world.duels.woken == 2
    result = await stage.ann.click(message, custom_id=button(message, "bad"))
    assert list(stage.world.duels.answers.values()) == [Choice.BAD]
    assert stage.world.duels.events == [result._interaction.id]


async def test_the_starter_and_moderators_decide_and_nobody_else(stage):
    message = await duel(stage, stage.ann)
    await stage.bob.click(message, custom_id=button(message, "decide"))
    assert "Only who started it" in stage.private(stage.bob)[0].content
    await stage.mod.click(message, custom_id=button(message, "decide"))
    verdict = stage.channel.history()[-1]
    assert "**A** won by 3 to 1" in verdict.content
    assert [item.label for item in verdict.components[0].children] == ["Branch A", "Branch B"]


async def test_a_decided_clip_can_be_branched(stage):
    await stage.start()
    message = await duel(stage)
    await stage.mod.click(message, custom_id=button(message, "decide"))
    verdict = stage.channel.history()[-1]
    stage.world.duels.all[1] = replace(stage.world.duels.all[1], b=1012)
    await stage.ann.click(verdict, custom_id=button(verdict, "branchb"))
    assert stage.world.runs.calls[-1] == ("branch", 1012)
    assert len(stage.channel.threads) == 1


async def test_clips_that_must_be_made_show_a_status_line(stage):
    stage.world.duels.makes_clips = True
    await duel(stage)
    assert stage.private(stage.mod) == []
    assert not [one for one in stage.channel.history() if "asked for a duel" in one.content]


@pytest.mark.parametrize("refused", ["busy", "unposted"])
async def test_what_cannot_be_done_is_a_private_sentence(stage, refused):
    if refused == "busy":
        stage.world.duels.fail = BusyError("A duel is going on here already.")
    else:
        stage.world.duels.refused = "The channel is gone."
    await stage.mod.slash(stage.channel, "duel")
    (told,) = stage.private(stage.mod)
    assert told.content in {
        "A duel is going on here already.",
        "The duel could not be posted: The channel is gone.",
    }


async def test_a_button_of_a_vanished_duel(stage):
    message = await duel(stage)
    stage.world.duels.all.clear()
    await stage.ann.click(message, custom_id=button(message, "a"))
    assert "not there any more" in stage.private(stage.ann)[0].content
