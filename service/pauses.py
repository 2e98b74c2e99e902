"""Pauses of the interpreter that would hold votes up."""

from __future__ import annotations

import gc


def spare_what_is_here() -> None:
    """Let the garbage collector look at what is made from now on only.

    Modules, settings and schemas are some 80,000 objects that stay until the end. To look through all of them, as the
    collector does now and then, takes 50 ms in which the event loop stands still. Call it once everything is loaded.
    """
    gc.collect()
    gc.freeze()
