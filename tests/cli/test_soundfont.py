import json

import soundfile

from cli.main import main


def test_it_says_what_plays_and_how_to_get_better(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["soundfont"]) == 0
    said = capsys.readouterr().out
    assert "TimGM6mb (GPL-2.0)" in said
    assert "apt-get install fluid-soundfont-gm" in said


def test_a_scale_is_played_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["soundfont", "--test", "--out", "scale.wav", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["probe"]["faults"] == []
    assert all(abs(cents) < 20 for cents in report["probe"]["cents"].values())
    samples, rate = soundfile.read(tmp_path / "scale.wav")
    assert rate == 44_100
    assert 0.4 < abs(samples).max() < 0.6


def test_a_folder_of_the_data_folder_is_looked_into(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "soundfonts").mkdir(parents=True)
    (tmp_path / "data" / "soundfonts" / "odd.sf2").write_bytes(b"RIFF")
    assert main(["soundfont", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "odd.sf2" in report["not_used"][0]["soundfont"]


def test_wrong_use_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.sf2").write_text("no sound")
    for argv, code in (
        (["soundfont", "absent.sf2"], 2),
        (["soundfont", "--out", "a.wav"], 2),
        (["soundfont", "--test", "--out", "a.mp3"], 2),
        (["soundfont", "text.sf2"], 1),
    ):
        assert main(argv) == code
        error = capsys.readouterr().err
        assert len(error.strip().splitlines()) == 1
