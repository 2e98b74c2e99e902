"""CLAP: one space for sound and words. Says how well a clip fits a text, and embeds clips for tastes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from numpy.typing import NDArray
from transformers import AutoTokenizer, ClapConfig, ClapFeatureExtractor, ClapModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from domain.errors import ScoringError
from scoring.encoder import LEARNED_VERSION, EncoderInfo, Floats, Heard, Weights
from scoring.learned.checkpoint import PREPROCESSOR, fill, read_json, read_weights
from scoring.learned.hearing import Hearing
from scoring.learned.waves import Runtime, batches, cut, pooled

RATE, SECONDS = 48000, 10.0
"""CLAP hears ten seconds at 48 kHz. Windows are never longer, so nothing is cropped by chance."""
SPECIAL_TOKENS = 2
TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"))
"""Files that make one. Without them transformers makes one that knows no word, and says nothing."""


class ClapEncoder:
    """Embeds clips, and texts, as unit vectors; the product of two says how alike they are.

    Args:
        network: With its weights.
        extractor: Makes its spectrograms.
        weights: Where it came from; the tokenizer is read from there when a text is first asked for.
        runtime: Where it runs.
    """

    def __init__(
        self,
        network: ClapModel,
        extractor: ClapFeatureExtractor,
        weights: Weights,
        runtime: Runtime,
    ) -> None:
        self.info = EncoderInfo(
            id=weights.encoder_id,
            version=LEARNED_VERSION,
            licence=weights.licence,
            dimensions=int(network.config.projection_dim),
            device=str(runtime.device),
        )
        longest = getattr(network.config.text_config, "max_position_embeddings", 0)
        self._longest_text = int(longest) - SPECIAL_TOKENS
        self._hearing = Hearing(
            sample_rate=RATE, standardise=False, window=SECONDS, whole=SECONDS, shortest=0.1
        )
        self._extractor = extractor
        self._folder = weights.folder
        self._tokenizer: PreTrainedTokenizerBase | None = None
        self._runtime = runtime
        self._network = cast("ClapModel", runtime.settle(network))

    def encode(self, samples: NDArray[Any], sample_rate: int) -> Floats:
        """Embed one clip; see ``scoring.encoder.Encoder``."""
        (heard,) = self.encode_batch([samples], sample_rate)
        if isinstance(heard, ScoringError):
            raise heard
        return heard

    def encode_batch(self, clips: Sequence[NDArray[Any]], sample_rate: int) -> list[Heard]:
        """Embed clips; see ``scoring.encoder.Encoder``. A long clip is the mean of windows spread over it."""
        windows = cut(clips, sample_rate, self._hearing)
        every = [one for own in windows if not isinstance(own, ScoringError) for one in own]
        heard: list[Floats] = [np.empty(0, np.float32)] * len(every)
        for places in batches(every, self._runtime.rows):
            for place, one in zip(places, self._listen([every[i] for i in places]), strict=True):
                heard[place] = one
        return pooled(windows, heard)

    @torch.inference_mode()
    def _listen(self, windows: Sequence[Floats]) -> Floats:
        """Return (rows, 1, dim) of windows of one length."""
        given = self._extractor(list(windows), sampling_rate=RATE, return_tensors="pt")
        heard = self._network.get_audio_features(
            input_features=given["input_features"].to(self._runtime.device, self._runtime.dtype),
            is_longer=given["is_longer"].to(self._runtime.device),
        )
        out: Floats = heard.pooler_output.float().cpu().numpy()[:, None, :]
        return out

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str]) -> Floats:
        """Embed texts.

        Args:
            texts: One or more; what is beyond the longest that CLAP reads is left out.

        Returns:
            (n, dim) unit vectors, to be multiplied with those of clips.

        Raises:
            ScoringError: There is no text, or no tokenizer beside the weights.
        """
        if not texts or not all(text.strip() for text in texts):
            raise ScoringError("A text to be compared with clips must not be empty.")
        given = self._reader()(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._longest_text,
            return_tensors="pt",
        )
        read = self._network.get_text_features(
            input_ids=given["input_ids"].to(self._runtime.device),
            attention_mask=given["attention_mask"].to(self._runtime.device),
        )
        out: Floats = read.pooler_output.float().cpu().numpy()
        return out

    def _reader(self) -> PreTrainedTokenizerBase:
        if self._tokenizer is None:
            if not any(all((self._folder / one).is_file() for one in form) for form in TOKENIZERS):
                raise ScoringError(f"There is no tokenizer beside the weights in {self._folder}.")
            try:
                self._tokenizer = AutoTokenizer.from_pretrained(
                    self._folder, local_files_only=True, trust_remote_code=False
                )
            except (OSError, ValueError, TypeError, KeyError) as error:
                reason = str(error).partition("\n")[0]
                message = f"The tokenizer in {self._folder} cannot be read: {reason}"
                raise ScoringError(message) from None
        return self._tokenizer


def load_clap(weights: Weights, runtime: Runtime) -> ClapEncoder:
    """Load a CLAP model in transformers' format.

    Raises:
        ScoringError: The folder holds no such checkpoint.
    """
    given = read_json(weights.folder)
    if given.get("model_type") != "clap":
        kind = given.get("model_type", "unknown")
        raise ScoringError(f"The model in {weights.folder} is of type {kind}, not CLAP.")
    try:
        config = ClapConfig(**{key: one for key, one in given.items() if key != "model_type"})
        with torch.device("meta"):
            network = ClapModel(config)
    except (StrictDataclassError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        message = f"The configuration in {weights.folder} makes no network: {reason}"
        raise ScoringError(message) from None
    fill(network, read_weights(weights.folder), weights.folder)
    ear = read_json(weights.folder, PREPROCESSOR)
    fused = bool(getattr(config.audio_config, "enable_fusion", False))
    known = {key: ear[key] for key in EAR if key in ear}
    extractor = ClapFeatureExtractor(**known, truncation="fusion" if fused else "rand_trunc")
    return ClapEncoder(network, extractor, weights, runtime)


EAR = (
    "feature_size",
    "hop_length",
    "fft_window_size",
    "frequency_min",
    "frequency_max",
    "top_db",
    "padding",
)
"""Settings of CLAP's spectrograms that a checkpoint may change. Sample rate and length are fixed, see ``RATE``."""
