"""``compose --remote``: a model behind a server on this machine."""

from __future__ import annotations

import json

import pytest
import soundfile

from cli.main import main
from tests.generation.remote.scripted import KEY, sound
from tests.generation.remote.test_line import serving, whole


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def composed(*argv):
    return main(["compose", *argv, "--out", "clip.wav", "--seconds", "2"])


@pytest.mark.e2e
def test_words_become_a_file(capsys, monkeypatch):
    monkeypatch.setenv("MUSIC_KEY", KEY)
    heard = []

    def act(connection, data):
        heard.append(data)
        connection.sendall(whole(sound(3.0, kind="FLAC")))

    with serving(act) as url:
        options = (
            "--remote-option",
            "key_variable=MUSIC_KEY",
            "--remote-option",
            "price_per_clip=0.5",
        )
        assert composed("slow jazz", "--remote", url, *options, "--json") == 0
        assert composed("slow jazz", "--remote", url) == 0
    report, text = capsys.readouterr().out.split("\n", 1)
    assert json.loads(report)["cost"]["amount"] == 0.5
    assert text.startswith("clip.wav: remote (not known), 2.0 s")
    assert soundfile.info("clip.wav").duration == pytest.approx(2.0)
    assert KEY.encode() in heard[0]
    assert KEY.encode() not in heard[1]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["jazz", "--remote", "nowhere"], "is an address such as"),
        (
            ["jazz", "--remote", "http://h", "--remote-option", "speed=2"],
            "no option 'speed'; there are url, style",
        ),
        (["jazz", "--remote", "http://h", "--remote-option", "style"], "give NAME=VALUE"),
        (["jazz", "--remote", "http://h", "--model", "musicgen-small"], "not both"),
        (["jazz", "--remote", "http://h", "--midi", "a.mid"], "http://h makes sound without notes"),
        (["", "--remote", "http://h"], "Say in words"),
    ],
)
def test_what_is_wrong_is_said(argv, words, capsys):
    assert composed(*argv) in {1, 2}
    assert words in capsys.readouterr().err
