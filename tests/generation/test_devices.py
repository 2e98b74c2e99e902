import pytest
import torch

from domain.errors import GenerationError
from generation.devices import device_here


def gpus(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(
    ("asked", "count", "found"),
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda:0"),
        ("cpu", 2, "cpu"),
        ("cuda", 1, "cuda"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_what_is_asked_for_is_found(monkeypatch, asked, count, found):
    gpus(monkeypatch, count)
    assert str(device_here(asked)) == found


@pytest.mark.parametrize(
    ("asked", "count", "words"),
    [
        ("cuda", 0, "no GPU"),
        ("cuda:0", 0, "no GPU"),
        ("cuda:2", 2, "2 of them"),
        ("mps", 0, "none"),
    ],
)
def test_what_is_not_there_is_a_sentence(monkeypatch, asked, count, words):
    gpus(monkeypatch, count)
    with pytest.raises(GenerationError, match=f"no device {asked}; PyTorch sees {words}"):
        device_here(asked)
