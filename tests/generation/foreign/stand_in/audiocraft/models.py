"""Signatures as in audiocraft at commit 896ec7c; a sine in place of music. Every call is noted in ``$CALLS``."""

import json
import math
import os
import random

import torch

RATE = 32_000


def note(name, **said):
    with open(os.environ["CALLS"], "a", encoding="utf-8") as file:  # noqa: PTH123 - as its users write
        file.write(json.dumps([name, said]) + "\n")


class Base:
    max_duration = 10.0
    sample_rate = RATE

    def __init__(self, name, device=None):
        self.name, self.duration = name, self.max_duration
        self.device = torch.device(device or "cpu")
        self._progress_callback = None

    def set_custom_progress_callback(self, progress_callback=None):
        self._progress_callback = progress_callback

    def generate(self, descriptions, progress=False, return_tokens=False):
        note("generate", descriptions=descriptions)
        return self._sing(descriptions, progress)

    def _sing(self, descriptions, progress):
        print("   1 /   50", end="\r")  # noqa: T201 - as the real one does
        words = descriptions[0] or ""
        if "crash" in words:
            os._exit(9)
        if "too big" in words:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        if "broken" in words:
            raise RuntimeError("a defect")
        for done in range(1, 51):
            if progress and self._progress_callback is not None:
                self._progress_callback(done, 50)
        height = 200 + 200 * torch.rand(len(descriptions), 1, 1)
        time = torch.arange(round(self.duration * RATE)) / RATE
        return (0.3 * torch.sin(2 * math.pi * height * time)).to(torch.float32)


class MAGNeT(Base):
    @staticmethod
    def get_pretrained(name="facebook/magnet-small-10secs", device=None):
        if os.environ.get("ABSENT"):
            raise FileNotFoundError("LocalEntryNotFoundError")
        return MAGNeT(name, device)


class JASCO(Base):
    chords_mapping = {"C": 0, "Am": 1, "G7": 2, "Bb": 3, "Dm7": 4, "N": 5}  # noqa: RUF012

    @staticmethod
    def get_pretrained(
        name="facebook/jasco-chords-drums-400M",
        device=None,
        chords_mapping_path="assets/chord_to_index_mapping.pkl",
    ):
        assert os.path.exists(chords_mapping_path)  # noqa: PTH110
        return JASCO(name, device)

    def generate_music(  # noqa: PLR0917 - the real signature
        self,
        descriptions,
        drums_wav=None,
        drums_sample_rate=32000,
        chords=None,
        melody_salience_matrix=None,
        iopaint_wav=None,
        segment_duration=10.0,
        frame_rate=50.0,
        melody_bins=53,
        progress=False,
        return_latents=False,
    ):
        note("generate_music", descriptions=descriptions, chords=chords)
        return self._sing(descriptions, progress)


class MusicGen(Base):
    max_duration = 30.0

    @staticmethod
    def get_pretrained(name="facebook/musicgen-melody", device=None):
        return MusicGen(name, device)

    def set_generation_params(  # noqa: PLR0917 - the real signature
        self,
        use_sampling=True,
        top_k=250,
        top_p=0.0,
        temperature=1.0,
        duration=30.0,
        cfg_coef=3.0,
        cfg_coef_beta=None,
        two_step_cfg=False,
        extend_stride=18,
    ):
        self.duration = duration
        note("params", duration=duration, beta=cfg_coef_beta)

    def set_style_conditioner_params(
        self, eval_q=3, excerpt_length=3.0, ds_factor=None, encodec_n_q=None
    ):
        note("style", eval_q=eval_q, excerpt_length=round(excerpt_length, 3))

    def generate_with_chroma(
        self, descriptions, melody_wavs, melody_sample_rate, progress=False, return_tokens=False
    ):
        note(
            "chroma",
            descriptions=descriptions,
            shape=list(melody_wavs.shape),
            rate=melody_sample_rate,
        )
        begin = random.random()
        return (0.5 + 0.5 * begin) * self._sing(descriptions, progress)
