"""Small changes to a style's rhythm rows, so that two pieces of a family seldom have the very same one."""

from __future__ import annotations

from generation.planning.grid import runs

_ACCENTS = 4
"""Steps between the strokes that make a rhythm what it is; only those between are touched."""


def vary(row: str, luck: tuple[float, ...], chance: float = 0.6) -> str:
    """Return a row with one weak stroke left out, one more, or one a sixteenth or an eighth earlier.

    Args:
        row: Marks of a style's pattern.
        luck: At least four uniform numbers: whether, how, where, and how far.
        chance: Of any change at all, in [0, 1].
    """
    notes = runs(row)
    if luck[0] >= chance or len(notes) < 3:
        return row
    weak = [note for note in notes if note[0] % _ACCENTS]
    if luck[1] < 0.3 and weak:
        return _left_out(row, weak[int(luck[2] * len(weak))])
    if luck[1] < 0.65:
        return _added(row, notes, luck[2])
    if not weak:
        return _added(row, notes, luck[2])
    return _earlier(row, weak[int(luck[2] * len(weak))], 1 if luck[3] < 0.5 else 2)


def _left_out(row: str, note: tuple[int, str, int]) -> str:
    """What sounds before holds on where it was held up to the stroke, otherwise there is a rest."""
    step, _, length = note
    joined = step > 0 and row[step - 1] == "-"
    return row[:step] + ("-" if joined else ".") * length + row[step + length :]


def _added(row: str, notes: list[tuple[int, str, int]], luck: float) -> str:
    """One more stroke in the middle of a gap of an eighth or more, with the mark of the stroke before."""
    gaps = []
    for index, (step, mark, _) in enumerate(notes):
        end = notes[index + 1][0] if index + 1 < len(notes) else len(row)
        if end - step >= 4:
            gaps.append((step + (end - step) // 2 // 2 * 2, mark))
    if not gaps:
        return row
    step, mark = gaps[int(luck * len(gaps))]
    return row[:step] + mark + row[step + 1 :]


def _earlier(row: str, note: tuple[int, str, int], steps: int) -> str:
    """An anticipation, where the steps before the stroke are free."""
    step, mark, _ = note
    if any(m not in ".-" for m in row[step - steps : step]) or step - steps < 1:
        return row
    held = "-" if step + 1 < len(row) and row[step + 1] == "-" else "."
    return row[: step - steps] + mark + held * steps + row[step + 1 :]
