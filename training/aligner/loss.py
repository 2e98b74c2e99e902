"""InfoNCE over a batch and strangers, corrected for how often each track is drawn.

Candidates are the tracks of the batch, which popular tracks are often among, and tracks drawn evenly. A track is so
among them ``batch * popularity + strangers / tracks`` times on average; the logarithm of that is taken off its logit
(mixed negative sampling with the correction of sampled softmax). Without it popular tracks are pushed away from
everybody for being popular.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

MOST_SCALE = 50.0
"""Bound of what cosines are multiplied by; beyond it a loss of InfoNCE runs away."""


def scale_of(log_scale: Tensor) -> Tensor:
    """Return what cosines are multiplied by, from 1 to ``MOST_SCALE``."""
    return log_scale.exp().clamp(1.0, MOST_SCALE)


def info_nce(
    listeners: Tensor, music: Tensor, scale: Tensor, often: Tensor, known: Tensor
) -> Tensor:
    """Return the loss, nats for each listener of the batch.

    Args:
        listeners: (b, width) of any length.
        music: (b + strangers, width) of any length; row i is what listener i listened to.
        scale: What cosines are multiplied by.
        often: (b + strangers,) how often each is expected among the candidates, above 0.
        known: (b, b + strangers): what a listener listened to as well, which is no negative.
    """
    cosine = functional.normalize(listeners, eps=1e-6) @ functional.normalize(music, eps=1e-6).T
    target = torch.arange(len(listeners), device=cosine.device)
    hidden = known.clone()
    hidden[target, target] = False
    logits = (scale * cosine - often.log()).masked_fill(hidden, -torch.inf)
    return functional.cross_entropy(logits, target)
