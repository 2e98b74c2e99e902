from __future__ import annotations


async def test_a_round_is_one_message_with_four_files_and_25_buttons(stage):
    message = await stage.start(vibe="rainy lofi")
    assert [file.filename[:2] for file in message.attachments] == ["A-", "B-", "C-", "D-"]
    rows = [row.children for row in message.components]
    assert [len(row) for row in rows] == [5, 5, 5, 5, 5]
    assert rows[0][0].label == "A 😖"
    assert [item.label for item in rows[4]] == ["Next", "Vary", "Cross", "Remix", "More"]
    assert "rainy lofi" in message.content
    assert "AI-made" in message.content
