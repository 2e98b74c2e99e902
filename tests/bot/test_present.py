from __future__ import annotations

import dataclasses

from bot import present, words
from domain.candidate import Candidate
from domain.fitness import Component, Judgement, Mode, Weights
from domain.run import CloseReason, Generation, GenerationState, RunState
from domain.vote import Consent, Grade
from service.views import (
    AboutView,
    ClipRating,
    ForMe,
    LineageView,
    Progress,
    Receipt,
    StatusView,
    TargetView,
)
from storage import listeners
from tests.bot.fakes import (
    make_candidate,
    make_clip,
    make_run,
    pause_view,
    reveal_view,
    round_view,
    taste_view,
    why_view,
)

LONG = "🎷 saxophone " * 400


def receipt(**changes) -> Receipt:
    ratings = (
        ClipRating(slot=1, clip_id=11, grade=Grade.LOVE),
        ClipRating(slot=2, clip_id=12, grade=Grade.GOOD, favourite=True),
        ClipRating(slot=3, clip_id=13, grade=Grade.AWFUL, broken=True),
        ClipRating(slot=4, clip_id=14),
    )
    values = {
        "round_label": "Round 3",
        "run_id": 1,
        "number": 1,
        "ratings": ratings,
        "late": False,
        "consent": Consent.TASTE,
        "votes_until_taste": 5,
    }
    return Receipt(**{**values, **changes})


def test_a_round_tells_what_it_is_and_nothing_about_why():
    text = present.round_text(round_view())
    assert text.startswith("**Round 1** · generation 1 of “rainy lofi”")
    assert "**B** slow \\*dub\\* techno" in text
    assert "<t:1800000000:R>" in text
    assert "AI-made" in text
    assert "The built-in composer plays" in text
    assert "expected to please" not in text


def test_a_round_with_one_clip_and_no_timer():
    text = present.round_text(round_view(clips=[make_clip()], closes_at=None))
    assert "**B**" not in text
    assert "until Next is pressed" in text


def test_long_prompts_and_vibes_stay_within_a_message():
    run = make_run(vibe=LONG)
    clips = [make_clip(slot, slot, prompt=LONG) for slot in range(1, 5)]
    view = round_view(run, clips=clips, stand_ins=(LONG, LONG))
    assert len(present.round_text(view)) <= 2000
    assert len(present.alt_text(clips[0], 1)) <= 1024
    rows = tuple(
        dataclasses.replace(row, clip=clips[0], parents=(LONG, LONG), operator=LONG)
        for row in reveal_view().rows
    )
    assert len(present.reveal_text(reveal_view(rows=rows, run=run))) <= 2000


def test_a_private_round_says_for_whom():
    assert "just for you" in present.round_title(make_run(for_listener=7), 1)


def test_a_reveal_names_winner_spread_roles_and_parents():
    text = present.reveal_text(reveal_view())
    assert "🏆 **A** won among 2 listeners" in text
    assert "+0.5 from 2 votes · ⭐ 1 · opinions differ · expected to please" in text
    assert "mutate:tempo of “parent one”" in text
    assert "**B** no votes" in text
    assert "enough of you voted" in text


def test_clips_chosen_before_anybody_voted_are_not_called_guesses():
    rows = [
        dataclasses.replace(row, clip=make_clip(row.slot, row.slot, role="opening"))
        for row in reveal_view().rows
    ]
    text = present.reveal_text(reveal_view(rows=tuple(rows)))
    assert text.count("chosen to be different") == 4
    assert "wild card" not in text


def test_a_reveal_without_votes():
    text = present.reveal_text(reveal_view(winner_slot=None, voters=0, reason=CloseReason.STOPPED))
    assert "Nobody voted" in text
    assert "was stopped" in text


def test_a_pause():
    assert "3 rounds in a row" in present.pause_text(pause_view())


def test_a_receipt_shows_everything_said():
    text = present.receipt_text(receipt())
    assert "**A** 😍 · **B** 🙂⭐ · **C** 😖🔧 · **D** \u2013" in text
    assert "results stay hidden" in text
    assert "5 more votes until your taste counts" in text
    assert "Your taste counts." in present.receipt_text(receipt(votes_until_taste=0))
    assert "still counts" in present.receipt_text(receipt(late=True))
    assert "a note" in present.receipt_text(receipt(note="a note"))
    assert "🔧 is broken audio" in text
    paused = present.receipt_text(receipt(consent=Consent.PAUSED, note="a note"))
    assert paused.count("not recorded") == 1
    assert "a note" not in paused
    assert "taste" not in present.receipt_text(receipt(consent=Consent.CHANNEL_ONLY))


def test_the_consent_question_is_replaced_by_its_answer():
    asked = present.receipt_text(receipt(consent=Consent.UNASKED))
    assert present.CONSENT_QUESTION in asked
    after = present.answered(asked, yes=True)
    assert present.CONSENT_QUESTION not in after
    assert after.startswith("**Your votes in Round 3**")
    assert present.answered("", yes=False) == present.CONSENT_NO


def test_how_a_taste_differed_is_said_about_the_largest_gap():
    row = reveal_view().rows[0]
    rows = tuple(
        dataclasses.replace(row, slot=slot, clip=make_clip(10 + slot, slot), mean=mean, votes=3)
        for slot, mean in ((1, 0.8), (2, -0.6), (3, -0.9), (4, 1.0))
    )
    assert present.difference_text(receipt(), reveal_view(rows=rows)) == (
        "You liked **B** more than the others did (+1.1)."
    )
    alone = tuple(dataclasses.replace(one, votes=1) for one in rows)
    assert present.difference_text(receipt(), reveal_view(rows=alone)) == ""
    same = (rows[0],)
    assert "much the same" in present.difference_text(receipt(), reveal_view(rows=same))


def test_the_best_of_a_listener_starts_with_the_favourite():
    assert [one.slot for one in present.best_of(receipt())] == [2, 1]


def test_status_of_each_state():
    generation = Generation(run_id=1, number=2, state=GenerationState.OPEN, closes_at=5.0)
    view = StatusView(
        run=make_run(), generation=generation, voters=1, progress=None, families={"lofi": 2}
    )
    assert "1 voter so far. It closes when 2 have voted, or <t:5:R>." in present.status_text(view)
    assert "timer 20 min" in present.status_text(view)
    making = dataclasses.replace(view, progress=Progress(text="3 of 12 candidates ready"))
    assert "3 of 12" in present.status_text(making)
    paused = dataclasses.replace(view, run=make_run(state=RunState.PAUSED))
    assert "paused" in present.status_text(paused)
    assert "`/evolve resume` goes on" in present.status_text(paused)
    stopped = dataclasses.replace(view, run=make_run(state=RunState.STOPPED))
    assert "`/evolve start` begins a new one" in present.status_text(stopped)
    assert "could not be posted" not in present.status_text(paused)
    stuck = dataclasses.replace(paused, problem="The thread is locked.")
    assert "could not be posted: The thread is locked." in present.status_text(stuck)


def test_taste_in_words():
    text = words.taste_text(taste_view())
    assert "from 7 votes" in text
    assert "██████████` slower (90% sure)" in text
    assert "You seem to avoid" in text
    assert "lofi (4 votes, +0.6)" in text
    assert "▃▅█" in text or "▇" in text
    early = words.taste_text(taste_view(votes_until_shown=3, likes=(), dislikes=()))
    assert "3 more votes" in early
    assert "Nothing stands out" in early
    assert "no taste to show" in words.taste_text(taste_view(consent=Consent.CHANNEL_ONLY))


def test_why_and_lineage():
    text = words.why_text(why_view(make_clip()))
    assert "**70%**, give or take 10%" in text
    assert (
        "for it: slower (fairly sure); of the 7 rated clips most like it in this you liked 6"
        in text
    )
    assert "mostly from your 😍 for “soft keys” and 😖 for “fast drums”" in text
    assert "against it: noisier (a guess)" in text
    assert "quite sure, from 6 votes" in text
    assert "“soft keys”, which you gave 😍" in text
    assert "Bred from “parent one” and “parent two” (cross)." in text
    early = dataclasses.replace(why_view(make_clip()), evidence=2, reasons=())
    assert "a guess, from 2 votes" in words.why_text(early)
    assert "Nothing that you said" in words.why_text(early)
    unknown = dataclasses.replace(why_view(make_clip()), liking=None, parents=())
    assert "no taste of yours" in words.why_text(unknown)
    assert "Made from scratch" in words.why_text(unknown)
    many: tuple[Candidate, ...] = tuple(make_candidate(number) for number in range(60))
    text = words.lineage_text(LineageView(clip=make_clip(), ancestors=many))
    assert len(text) <= 2000
    assert "licence MIT" in text


def judged(**changes) -> Judgement:
    values = {
        "mode": Mode.HERD,
        "fitness": 0.54,
        "gate": 0.9,
        "adherence": None,
        "components": {Component.TASTE: 0.7, Component.ADHERENCE: 0.3, Component.NOVELTY: 0.2},
        "weights": Weights(adherence=0.25),
        "at": 0.0,
    }
    return Judgement(**(values | changes))


def test_why_says_what_fitness_was_made_of():
    view = dataclasses.replace(why_view(make_clip()), judgement=judged())
    assert words.why_text(view).endswith(
        "-# Fitness when it was chosen: 0.54, from tastes here 0.70 (counts 80%) and as asked 0.30 (counts 20%), "
        "times 0.90 for sound that is whole and new."
    )
    forgotten = dataclasses.replace(view, judgement=judged(fitness=None))
    assert "Fitness" not in words.why_text(forgotten)
    nothing = dataclasses.replace(view, judgement=judged(components={}))
    assert "nothing that could be measured" in words.why_text(nothing)


def test_a_lineage_tells_the_fitness_that_is_recorded():
    line = (make_candidate(3), make_candidate(2))
    view = LineageView(clip=make_clip(), ancestors=line, fitness={line[0].id: 0.625})
    text = words.lineage_text(view)
    assert "fitness 0.62 · prompt 3" in text
    assert text.count("fitness") == 1


def test_a_stopped_run_is_told_whatever_it_was_about():
    assert "the run of “" in present.stopped_text(make_run(vibe="dub"))
    nameless = present.stopped_text(make_run(vibe="", generation=0))
    assert nameless.startswith("Stopped this run before its first round.")


def test_everything_that_is_held_about_somebody_has_its_words():
    counted = {"judgements", "priors", "rewards", "private_clips"}
    assert {*listeners._EXPORTS, *listeners._ERASURES, *counted} <= set(words.HELD)
    assert words.held_words("duel_votes", 1) == "1 vote on a duel"
    assert words.held_words("duel_votes", 2) == "2 votes on duels"


def test_a_rating_is_shown_as_the_face_that_gives_it():
    assert [words.face_of(one) for one in (-1.0, -0.4, 0.5, 1.0)] == ["😖", "😐", "🙂", "😍"]


def test_status_says_what_a_run_is_bred_towards():
    target = TargetView(
        title="My *Song*", words="slow lofi at 70 bpm", seconds=185.0, rated=4, votes_share=0.25
    )
    view = StatusView(
        run=make_run(), generation=None, voters=0, progress=None, families={}, target=target
    )
    text = present.status_text(view)
    assert "(3:05): slow lofi at 70 bpm. With 4 clips rated here, votes count for 25%" in text
    assert "*Song*" not in text.replace("\\*", "")
    bare = dataclasses.replace(view, target=dataclasses.replace(target, words="", rated=1))
    assert "(3:05). With 1 clip rated" in present.status_text(bare)


def test_for_me_data_and_about():
    mine = ForMe(
        clip=make_clip(),
        filename="x.mp3",
        data=b"",
        liking=0.8,
        evidence=1,
        note="It was not posted.",
    )
    assert "**80%**, from 1 vote of yours" in words.for_me_text(mine)
    assert words.for_me_text(mine).endswith("It was not posted.")
    summary = words.my_data_text(Consent.TASTE, {"votes": [1, 2], "name": "x", "kept": []})
    assert "· 2 votes" in summary
    assert "kept" not in summary
    assert words.erased_text({"votes": 0}) == "There was nothing about you to delete."
    about = AboutView(
        version="1", parts={"generator": "g"}, stand_ins=("s.",), licences={"g": "MIT"}
    )
    assert "g: MIT" in words.about_text(about)
    assert len(words.HELP) <= 2000


def by_hand(operator: str = "mood", **genome) -> Candidate:
    return dataclasses.replace(make_candidate(3), operator=operator, genome=genome)


def test_a_clip_made_by_hand_says_who_changed_what():
    edits = [
        ["energy", 0.4, 0.5],
        ["tempo", 92, 104],
        ["energy", 0.5, 0.6],
        ["mode", 0, 1],
        ["mode", 1, 0],
    ]
    view = round_view(
        make_run(started_by=7, vibe="*slow* <@9> dub"),
        clips=[make_clip()],
        made=by_hand(edits=edits),
    )
    text = present.made_text(view)
    assert text.startswith("🎚️ **A mood by <@7>** · from “\\*slow\\* \\<\\@9\\> dub”")
    assert "Changed: energy .40 → .60, tempo 92 → 104\n" in text
    assert "AI-made" in text
    assert "A longer version" in present.made_text(
        dataclasses.replace(view, made=by_hand("extend"))
    )
    assert (
        len(
            present.made_text(
                round_view(make_run(vibe=LONG), clips=[make_clip(prompt=LONG)], made=by_hand())
            )
        )
        < 600
    )


def test_nonsense_in_a_genome_breaks_no_text():
    for edits in (None, 3, [[]], [["energy"]], [["nonsense", 1, 2]], "energy"):
        assert present.made_words(by_hand(edits=edits)) == ""


def test_the_receipt_and_the_lineage_of_a_clip_made_by_hand():
    assert "Your vote on this clip" in present.receipt_text(receipt(by_hand=True))
    view = LineageView(clip=make_clip(), ancestors=(by_hand(edits=[["tempo", 92, 104]]),))
    assert "mood: tempo 92 → 104 ← #2" in words.lineage_text(view)
