"""The model card: what an aligner was trained on, how, and how good it is, in words for whoever finds the folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEMPLATE = """\
# Aligner ({network[kind]})

A table of {network[users]:,} listeners and a tower for music, both ending in one space of {network[width]} numbers;
{network[parameters]:,} parameters. How well a listener and a track go together is the cosine of their vectors, times
{figures[scale]:.2f} for log odds.

## What it reads

Embeddings of the encoder `{encoder}`, of shape ({network[layers]}, {network[dimensions]}): layers, numbers in each.
Those of another encoder are refused where their size tells, and give nonsense where it does not.

## What it learned from

| | |
|---|---|
| listening log | {data[log]} |
| rows read | {data[rows]:,} |
| plays used | {data[plays]:,} |
| pairs of a listener and a track to learn from | {data[pairs]:,} |
| listeners to learn from | {data[users]:,} |
| tracks with an embedding | {data[tracks]:,} |
| of them learned from | {data[learned]:,} |
{skipped}
The rows of the table carry no names of listeners.

## How good it is

On {figures[pairs]:,} pairs of {figures[users]:,} listeners with tracks that it never learned from, half of them
listened to:

| ROC AUC | PR AUC | pairwise accuracy within a listener |
|---|---|---|
| {figures[roc_auc]:.3f} | {figures[pr_auc]:.3f} | {figures[pairwise]:.3f} |

Chance is 0.5. The best of {figures[epochs]} epochs, {figures[best]}, was chosen on other tracks than these.

## How it was trained

{plan}.

## What it is not

Listening is not liking, and who is in a listening log is not everybody. It hears whole tracks in training; short
generated clips may sound further from them than from each other. It says nothing about quality: noise can score high,
so a quality gate belongs before it.
"""


def card_text(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        card: ``network``, ``data``, ``plan`` and ``figures``, as ``training.aligner.make`` fills them.
    """
    skipped = card["data"]["skipped"]
    return TEMPLATE.format(
        network=card["network"],
        data=card["data"],
        figures=card["figures"],
        encoder=card["network"]["encoder_id"] or "unknown",
        skipped="".join(
            f"| skipped: {reason} | {count:,} |\n" for reason, count in skipped.items()
        ),
        plan=", ".join(f"{name} {value}" for name, value in card["plan"].items()),
    )
