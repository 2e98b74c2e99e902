"""How to play a clip, as text with a chord chart. Pure functions."""

from __future__ import annotations

from bot.text import fit, quote
from service.exports import PlayView

ROW = 4
"""Bars in a line of the chart."""
_SWINGS = ((0.1, "straight"), (0.28, "a light swing"), (0.4, "swing"), (1.0, "a hard swing"))


def play_text(view: PlayView) -> str:
    """Return key, tempo, feel, players and a chord chart with the names of the sections."""
    feel = next(words for most, words in _SWINGS if view.swing <= most)
    lines = [f"**How to play this** · {quote(view.clip.prompt, 120)}"]
    lines.append(f"Key of {view.key} · {view.tempo:.0f} bpm · {view.metre} · {feel}")
    if view.capo is not None:
        fret, shape = view.capo
        lines.append(f"Guitar: with a capo on fret {fret}, play it as if it were in {shape}.")
    lines += _chart(view)
    players = "; ".join(f"{role}: {names}" for role, names in view.instruments)
    lines.append(f"Players: {quote(players, 300)}")
    return fit(lines)


def _chart(view: PlayView) -> list[str]:
    """Return the chart as one block, so that it is shown whole or not at all."""
    bars = [bar for _, section in view.sections for bar in section]
    width = min(14, max((len(bar) for bar in bars), default=1))
    rows = ["```"]
    for name, section in view.sections:
        rows.append(f"[{name}]")
        for start in range(0, len(section), ROW):
            cells = [f"{bar or '-':<{width}}" for bar in section[start : start + ROW]]
            rows.append(f"| {' | '.join(cells)} |")
    rows.append("```")
    text = "\n".join(rows)
    return [text] if len(text) <= 1500 else ["\n".join([*rows[:24], "...", "```"])]
