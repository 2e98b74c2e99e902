"""What is claimed, and what is not claimed, from votes."""

import dataclasses

from bot import words_proof
from bot.present import reveal_text
from domain.ids import ChannelId, ClipId, GuildId, ListenerId, MessageId, RunId
from domain.outcome import Outcome
from scoring.intervals import share
from service.progress import assess
from service.top import Scope, TopClip, TopView
from tests.bot.fakes import make_clip, reveal_view


def outcomes(rounds: int, role_likes: dict[str, float], foretold: float | None = None):
    clip = 0
    for number in range(1, rounds + 1):
        for role, rate in role_likes.items():
            for person in range(5):
                clip += 1
                yield Outcome(
                    clip_id=ClipId(clip),
                    original_id=ClipId(clip if role != "repost" else clip + 100_000),
                    run_id=RunId(1),
                    channel_id=ChannelId(6),
                    generation=number,
                    role=role,
                    listener_id=ListenerId(person),
                    rating=1.0 if (person + number) % 5 < 5 * rate else -1.0,
                    late=False,
                    foretold=foretold,
                )


def test_few_votes_claim_nothing():
    text = "\n".join(words_proof.progress_lines(assess(list(outcomes(1, {"opening": 0.4})))))
    assert text.count("not enough votes yet to tell") == 2
    assert "20 more of members who let me learn their taste" in text
    assert "a run needs 6 rounds" in text
    assert "win" not in text.replace("new rounds win: a run needs", "")


def test_many_votes_say_what_they_say():
    heard = list(
        outcomes(12, {"exploit": 0.8, "wild": 0.2, "repost": 0.4, "opening": 0.2}, foretold=0.9)
    )
    lines = words_proof.progress_lines(assess(heard))
    text = "\n".join(lines)
    assert "the bot beats chance" in text
    assert "they are liked more" in text
    assert "too hopeful" in text
    assert "first 3 rounds" in text.lower()


def test_top_text_links_and_fits():
    best = tuple(
        TopClip(
            clip=dataclasses.replace(make_clip(10 + place, 1), prompt="a `wild` *prompt* " * 20),
            likes=9,
            voters=10,
            liked=share(9, 10),
            channel_id=ChannelId(6),
            message_id=MessageId(77) if place else None,
            expected=0.8,
        )
        for place in range(5)
    )
    view = TopView(
        scope=Scope.SERVER,
        guild_id=GuildId(5),
        for_me=True,
        best=best,
        files=(),
        rated=12,
        progress=assess(list(outcomes(2, {"exploit": 0.5}))),
    )
    text = words_proof.top_text(view)
    assert len(text) <= 2000
    assert "https://discord.com/channels/5/6/77" in text
    assert "liked by 9 of 10" in text
    assert "I expect 80%" in text
    assert "not kept any more" in text
    assert "\\*prompt\\*" in text


def test_top_says_of_new_rounds_only_what_can_be_told():
    def top(heard):
        progress = assess(list(heard))
        return words_proof.top_text(
            TopView(
                scope=Scope.RUN,
                guild_id=GuildId(5),
                for_me=False,
                best=(),
                files=(),
                rated=1,
                progress=progress,
            )
        )

    early = top(outcomes(2, {"exploit": 0.5}))
    assert "Too early to tell, with 10 votes in 2 rounds: a run needs 6 rounds" in early
    assert "wild cards" not in early
    late = top(outcomes(12, {"exploit": 0.8, "wild": 0.2}))
    assert "Too early" not in late
    assert "they are liked more" in late
    assert "unmarked" not in late


def test_a_reveal_names_the_old_friend():
    view = reveal_view()
    old = dataclasses.replace(view.rows[1].clip, original_id=ClipId(3), original_generation=3)
    rows = (view.rows[0], dataclasses.replace(view.rows[1], clip=old, then=0.4), *view.rows[2:])
    text = reveal_text(dataclasses.replace(view, rows=rows))
    assert "**B** no votes · an old friend from round 3 (+0.4 then)" in text
