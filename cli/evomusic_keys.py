"""Every key of an EvoMusic configuration: where it belongs, and what becomes of it here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NO_DEVICE = "what computes is chosen by each part itself"
NO_FILES = "clips are kept in the audio store, named by their content"
NO_NUMERIC = (
    "the search by numbers has a genome and steps of its own, on the scale of what it searches"
)
NO_ALIGNER = "a taste is learned for each listener from their votes, and needs no such model"
NO_TRAINING = "tastes are updated in closed form after every vote, so there is nothing to set"
NO_WANDB = "nothing is sent to W&B; /health and the log say what goes on"
NO_FITNESS = "fitness is what the listeners' tastes expect, times the quality of the sound"
SECRET = "secret"  # noqa: S105 - the word for a kind of key, not one
MAPPED = "mapped"
ANYTHING = "*"
"""A section that may hold any key."""

DEEPEST = 8
"""Sections within sections that are looked into."""

Tree = Mapping[str, Any]

_GENERATOR: Tree = {
    "model": "the model is a matter of generation.generator",
    "input_type": "prompts are always text",
    "output_dir": NO_FILES,
    "name": NO_FILES,
    "device": NO_DEVICE,
    "inference_steps": "the composer has no diffusion steps",
}
_ALIGNER = (
    "emb_size batch_size neg_samples temp learnable_temp multiplier weight prj aggr nusers prj_size hidden_size "
    "drop lr noise_level encoder abs_file_path"
)
_TRAINING = "splits_path embs_path stats_path npos nneg batch_size multiplier type epochs random_pool eval lr"
_OPERATOR: Tree = dict.fromkeys(("name", "prompt", "input", "output", "probability"), MAPPED)
_NUMERIC_OPERATOR: Tree = {
    "name": NO_NUMERIC,
    "parameters": dict.fromkeys(
        (
            "tournament_size",
            "cross_over_rate",
            "num_points",
            "eta",
            "stdev",
            "mutation_probability",
            "permute_all",
        ),
        NO_NUMERIC,
    )
    | {ANYTHING: NO_NUMERIC},
}
TREE: Tree = {
    "epochs": "a run goes on from round to round until people stop it",
    "music_model": MAPPED,
    "music_generator": _GENERATOR,
    "riffusion_pipeline": _GENERATOR,
    "user_model": {
        "users": [
            {
                "user_type": "listeners are the members who vote; the playground has synthetic ones",
                "target_user_id": "listeners are the members who vote; the playground has synthetic ones",
            }
        ],
        "aligner": dict.fromkeys(_ALIGNER.split(), NO_ALIGNER),
        "user_conf": {
            "memory_length": "all votes count, with no window",
            "minibatch": NO_TRAINING,
            "amount": "every member who opts in has a taste",
            "init": "a taste starts from what the community likes",
            "rmean": "a taste starts from what the community likes",
        },
        "train_conf": dict.fromkeys(_TRAINING.split(), NO_TRAINING),
        "best_solutions": "a round always posts four clips: two of the best, one unsure, one wild card",
        "sample": "a round always posts four clips: two of the best, one unsure, one wild card",
        "device": NO_DEVICE,
    },
    "evolution": {
        "exp_name": "runs are told apart by channel and number",
        "generations": "a run goes on from round to round until people stop it",
        "max_seq_len": NO_NUMERIC,
        "duration": MAPPED,
        "best_duration": "/playlist and downloads take a clip's own length",
        "device": NO_DEVICE,
        "initialization": "the first round comes from what the run is about, or from the vocabulary",
        "init_file": "the first round comes from what the run is about, or from the vocabulary",
        "evotorch": {ANYTHING: NO_NUMERIC},
        "LLM": {"api_key": SECRET, "temperature": MAPPED, "model": MAPPED, "api_uri": MAPPED},
        "fitness": {
            "mode": NO_FITNESS,
            "target_music": "breeding towards a file is a matter of a command, not of settings",
            "noise_weight": "broken sound is kept out before anyone hears it, not weighed against taste",
            "device": NO_DEVICE,
        },
        "logger": {
            "wandb": NO_WANDB,
            "project": NO_WANDB,
            "name": NO_WANDB,
            "delete_generated": "storage.audio_days says how long audio is kept",
            "wandb_token": SECRET,
            "visualizations": NO_WANDB,
        },
        "search": {
            **dict.fromkeys(
                (
                    "mode",
                    "population_size",
                    "sample",
                    "temperature",
                    "novel_prompts",
                    "elites",
                    "tournament_size",
                    "full_LLM_prompt",
                ),
                MAPPED,
            ),
            "LLM_genetic_operators": [_OPERATOR],
            "GA_operators": [_NUMERIC_OPERATOR],
            "evotorch": {ANYTHING: NO_NUMERIC},
        },
    },
}
"""A mapping is a section, a list of one mapping is a list of such sections, a text says what becomes of a value:
``MAPPED``, ``SECRET``, or the reason why it is ignored."""


def flattened(values: Any, prefix: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, Any]]:
    """Yield every value of nested sections and lists under its full name, such as ``"evolution.search.mode"``.

    What lies deeper than ``depth`` is a value as a whole; a file can hold itself.
    """
    if isinstance(values, Mapping) and depth:
        for key, value in values.items():
            yield from flattened(value, f"{prefix}.{key}" if prefix else str(key), depth - 1)
    elif isinstance(values, list) and depth and any(isinstance(one, Mapping) for one in values):
        for number, value in enumerate(values):
            yield from flattened(value, f"{prefix}[{number}]", depth - 1)
    else:
        yield prefix, values


def fate(name: str) -> str | None:
    """Return what ``TREE`` says about a full name, ``""`` for an empty section, ``None`` for an unknown key."""
    node: Any = TREE
    for part in name.replace("]", "").split("."):
        key, *places = part.split("[")
        if not isinstance(node, Mapping):
            return None
        node = node.get(key, node.get(ANYTHING))
        if isinstance(node, list) and places:
            node = node[0]
    return node if isinstance(node, str) or node is None else ""
