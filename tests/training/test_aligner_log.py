"""Reading listening logs: three layouts, and every way in which a row can be broken."""

from __future__ import annotations

import gzip
import importlib
import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import UserError
from training.aligner.account import Account
from training.aligner.log import read_log

TRACKS = ["a1", "b2", "The Band - The Song"]
LASTFM = (
    "user_000001\t2009-05-04T23:08:57Z\tart-1\tDeep Dish\ta1\tFirst Light\n"
    "user_000001\t2009-05-04T13:54:10Z\tart-2\tThe Band\t\tThe Song\n"
    "user_000002\t2009-05-04T13:52:04Z\tart-2\tTHE BAND\tno-such-id\tthe song\n"
    "user_000002\t2009-05-04T13:52:04Z\tart-2\tThe Band\t\tThe Song\n"
)


def _read(tmp_path, text, name="log.tsv", tracks=TRACKS):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    account = Account()
    return read_log(file, tracks, account), account


def _pairs(listening):
    return list(
        zip(
            listening.user.tolist(), listening.track.tolist(), listening.plays.tolist(), strict=True
        )
    )


def test_lastfm_is_read_by_id_or_by_artist_and_title(tmp_path):
    found, account = _read(tmp_path, LASTFM)
    assert _pairs(found) == [(0, 0, 1), (0, 2, 1), (1, 2, 2)]
    assert (found.users, found.tracks, account.rows, account.plays) == (2, 3, 4, 4)
    assert account.lines() == []


def test_a_gzipped_log_is_read_as_well(tmp_path):
    found, _ = _read(tmp_path, gzip.compress(LASTFM.encode()), "log.tsv.gz")
    assert found.plays.sum() == 4
    with pytest.raises(UserError, match="to its end"):
        _read(tmp_path, gzip.compress(LASTFM.encode())[:-20], "cut.tsv.gz")


@pytest.mark.parametrize(
    "text",
    [
        "userid,id,count\nx,a1,3\ny,b2,1\nx,a1,2\n",
        "\ufeffcount;Track;USER\n3;A1;x\r\n1;b2;y\r\n2;a1;x\r\n",
        'user_id,track_id,plays,more\nx,"a1",3,\ny,b2,1.0,"q, q"\n\nx, a1 ,2,\n',
        "user\ttrack\nx\ta1\nx\ta1\nx\ta1\ny\tb2\nx\ta1\nx\ta1\n",
    ],
)
def test_a_table_with_a_header_is_read(tmp_path, text):
    found, account = _read(tmp_path, text, "log.csv")
    assert _pairs(found) == [(0, 0, 5), (1, 1, 1)]
    assert account.lines() == []


def test_broken_rows_are_counted_named_and_skipped(tmp_path):
    text = (
        b"userid,id,count\n"
        b"x,a1,3\n"  # line 2
        b"x,a1\n"
        b",a1,1\n"
        b"x,,1\n"
        b"x,b2,many\n"
        b"x,b2,0\n"
        b"x,b2,1e99\n"
        b"x,b2,nan\n"
        b'x,"b2,1\n'  # a quotation mark that does not end: line 10
        b"\xff\xfe,b2,1\n"
        b"y,unheard of,1\n"
        b"y,b2,1\n"
    )
    found, account = _read(tmp_path, text, "log.csv")
    assert _pairs(found) == [(0, 0, 3), (1, 1, 1)]
    assert account.rows == 12
    assert account.lines() == [
        "Skipped 2: a row that has not 3 fields (line 3, line 10)",
        "Skipped 1: no user (line 4)",
        "Skipped 1: no track (line 5)",
        "Skipped 1: a count that is no number (line 6)",
        "Skipped 3: a count that is not from 1 to 1,000,000,000 (line 7, line 8, line 9)",
        "Skipped 1: not UTF-8 (line 11)",
        "Skipped 1: a track without an embedding (line 12)",
    ]


def test_only_the_first_few_places_are_named(tmp_path):
    rows = "".join(f"u,zz{i}\n" for i in range(50))
    _, account = _read(tmp_path, f"user,track\n{rows}u,a1\n", "log.csv")
    assert account.lines() == [
        "Skipped 50: a track without an embedding (line 2, line 3, line 4, ...)"
    ]


def test_a_log_without_a_usable_row_or_layout_is_a_sentence(tmp_path):
    for text, words in (
        ("", "No row"),
        ("user,track\nu,zz\n", "1 were read, 1 name a track"),
        ("name,song\nu,a1\n", "layout"),
        ("just words\n", "layout"),
        ("a\tb\tc\n", "layout"),
    ):
        with pytest.raises(UserError, match=words):
            _read(tmp_path, text)
    with pytest.raises(UserError, match="cannot be read"):
        read_log(tmp_path / "nowhere.tsv", TRACKS, Account())


def test_parquet_is_read_or_its_package_named(tmp_path):
    file = tmp_path / "log.parquet"
    file.write_bytes(b"PAR1 not really")
    if importlib.util.find_spec("pyarrow") is None:
        with pytest.raises(UserError, match="pip install pyarrow"):
            read_log(file, TRACKS, Account())
        return
    pa, pq = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    with pytest.raises(UserError, match="cannot be read"):
        read_log(file, TRACKS, Account())
    pq.write_table(
        pa.table({"user": ["x", "y", None], "id": ["a1", "b2", "a1"], "count": [5, None, 1]}), file
    )
    account = Account()
    assert _pairs(read_log(file, TRACKS, account)) == [(0, 0, 5), (1, 1, 1)]
    assert account.lines() == ["Skipped 1: no user (row 3)"]


CELL = st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=8)
ROW = st.one_of(
    st.tuples(st.just("good"), st.sampled_from("uvw"), st.sampled_from(["a1", "b2"])),
    st.tuples(st.just("bad"), st.lists(CELL, max_size=7), st.sampled_from("\t,;")),
    st.tuples(st.just("bytes"), st.binary(max_size=20)),
)


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(ROW, max_size=25))
def test_whatever_stands_between_them_good_rows_are_not_lost(tmp_path_factory, rows):
    """Every row is either played or accounted for; good ones are all played."""
    lines, good = [b"user,track"], 0
    for kind, *cells in rows:
        if kind == "good":
            lines.append(",".join(cells).encode())
            good += 1
        elif kind == "bad":
            lines.append(cells[1].join(cells[0]).encode())
        else:
            lines.append(cells[0].replace(b"\n", b"").replace(b"\r", b""))
    lines.append(b"z,a1")
    file = tmp_path_factory.mktemp("log") / "log.csv"
    file.write_bytes(b"\n".join(lines))
    account = Account()
    found = read_log(file, TRACKS, account)
    assert found.plays.sum() == account.plays >= good + 1
    assert account.rows == account.plays + account.skipped.total()
    keys = found.user * found.tracks + found.track
    assert (np.diff(keys) > 0).all()
