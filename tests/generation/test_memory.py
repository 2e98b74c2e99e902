"""Which GPU is meant, where PyTorch wants a number and nothing else."""

from __future__ import annotations

import pytest

from generation.memory import gpu_of


@pytest.mark.parametrize(
    ("device", "number"), [("auto", 0), ("cuda", 0), ("cuda:0", 0), ("cuda:3", 3)]
)
def test_every_name_of_a_gpu_has_a_number(device, number):
    assert gpu_of(device) == number
