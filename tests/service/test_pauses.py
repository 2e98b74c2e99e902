"""Pauses that would hold votes up."""

from __future__ import annotations

import gc

from service.pauses import spare_what_is_here


def test_the_collector_leaves_alone_what_is_here_and_sees_what_comes():
    before = gc.get_freeze_count()
    try:
        spare_what_is_here()
        assert gc.get_freeze_count() > before + 1000
        later = [[]]
        assert any(one is later for one in gc.get_objects())
    finally:
        gc.unfreeze()
