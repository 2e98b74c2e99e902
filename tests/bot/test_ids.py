from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import ids
from domain.ids import ClipId, DuelId, RunId
from domain.vote import Grade

NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)
PRESSES = st.one_of(
    st.builds(lambda n, g: ids.Rate(clip_id=ClipId(n), grade=g), NUMBERS, st.sampled_from(Grade)),
    st.builds(lambda n: ids.Favourite(clip_id=ClipId(n)), NUMBERS),
    st.builds(
        lambda r, g, v: ids.Do(run_id=RunId(r), generation=g, verb=v),
        NUMBERS,
        NUMBERS,
        st.sampled_from(ids.Verb),
    ),
    st.builds(
        lambda r, g, v: ids.Pick(run_id=RunId(r), generation=g, verb=v),
        NUMBERS,
        NUMBERS,
        st.sampled_from([ids.Verb.VARY, ids.Verb.CROSS]),
    ),
    st.builds(
        lambda r, g, a, c: ids.More(run_id=RunId(r), generation=g, action=a, clip_id=c),
        NUMBERS,
        NUMBERS,
        st.sampled_from(ids.MoreAction),
        st.one_of(st.none(), NUMBERS.map(ClipId)),
    ),
    st.builds(
        lambda d, a: ids.DuelPress(duel_id=DuelId(d), action=a),
        NUMBERS,
        st.sampled_from(ids.DuelAction),
    ),
    st.builds(lambda y: ids.ConsentAnswer(yes=y), st.booleans()),
    st.builds(lambda y: ids.EraseAnswer(yes=y), st.booleans()),
    st.builds(lambda n: ids.Resume(run_id=RunId(n)), NUMBERS),
    st.builds(lambda n: ids.Cancel(ticket_id=n), NUMBERS),
    st.builds(
        lambda a, s: ids.Chat(action=a, subject=s),
        st.sampled_from(ids.ChatAction),
        st.text(alphabet="0123456789abcdef.", max_size=40),
    ),
)


@settings(deadline=None)
@given(PRESSES)
def test_what_is_written_is_read_back(press):
    assert ids.parse(str(press)) == press
    assert len(str(press)) <= 100
    assert re.fullmatch(ids.TEMPLATE, str(press))


@pytest.mark.parametrize(
    ("text", "press"),
    [
        ("tb:rate:17:3", ids.Rate(clip_id=ClipId(17), grade=Grade.LOVE)),
        ("tb:fav:17", ids.Favourite(clip_id=ClipId(17))),
        ("tb:do:4:9:next", ids.Do(run_id=RunId(4), generation=9, verb=ids.Verb.NEXT)),
        (
            "tb:more:4:9:why:17",
            ids.More(run_id=RunId(4), generation=9, action=ids.MoreAction.WHY, clip_id=ClipId(17)),
        ),
        (
            "tb:mood:7:post:17",
            ids.Mood(panel_id=7, action=ids.MoodAction.POST, clip_id=ClipId(17)),
        ),
        ("tb:mood:7:dd", ids.Mood(panel_id=7, action=ids.MoodAction.DOWN_MUCH)),
        ("tb:consent:yes", ids.ConsentAnswer(yes=True)),
        ("tb:resume:4", ids.Resume(run_id=RunId(4))),
        ("tb:cancel:8", ids.Cancel(ticket_id=8)),
    ],
)
def test_the_documented_ids(text, press):
    assert ids.parse(text) == press


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=120),
        st.text(alphabet=":0123456789abcdefmorxtvw²٣", max_size=40).map(lambda rest: "tb:" + rest),
        st.sampled_from(["rate", "fav", "do", "more", "pick", "consent", "resume"]).flatmap(
            lambda kind: st.lists(st.text(max_size=9), max_size=5).map(
                lambda parts: ":".join(["tb", kind, *parts])
            )
        ),
    )
)
def test_garbage_is_refused_without_an_error(text):
    press = ids.parse(text)
    assert press is None or str(press) == text
