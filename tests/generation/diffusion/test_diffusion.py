"""What is the same for every family: steps, batches, cancelling, memory, and folders that are not as they should be."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PYTORCH IS MISSING: diffusion models were not tested")
pytest.importorskip("diffusers", reason="DIFFUSERS IS MISSING: diffusion models were not tested")

from domain.clip import ClipRequest, Source, SourceUse  # noqa: E402
from domain.errors import GenerationError, NoRoomError  # noqa: E402
from generation import telling  # noqa: E402
from generation.diffusion.family import Limits, Words  # noqa: E402
from generation.diffusion.generator import FAMILIES, Diffusion  # noqa: E402
from generation.diffusion.layout import read_layout  # noqa: E402
from generation.generator import Cancelled  # noqa: E402
from generation.registry import Recipe, create_generator  # noqa: E402

FAMILY = "stable-audio-3"


def recipe(folder, **changes):
    return Recipe(loader="diffusers", name="tiny", folder=str(folder), **changes)


def request(seed=3, **more):
    return ClipRequest(**{"prompt": "slow jazz", "seed": seed, "seconds": 1.0, **more})


class Humming:
    """A family without a pipeline: a clip is a hum as high as its seed."""

    number = "float16"
    exact = frozenset()

    def __init__(self, most=99):
        self.most = most
        self.jobs = []

    def limits(self, layout):
        fill = frozenset({SourceUse.FILL, SourceUse.VARY})
        return Limits(
            rate=8000,
            longest=9.0,
            steps=10,
            draft=3,
            embedding=2,
            sources=fill,
        )

    def words(self, pipe, prompt):
        return Words(values={"prompt": prompt})

    def given(self, pipe, numbers, prompt):
        return Words(values={"prompt_embeds": numbers})

    def play(self, pipe, job):
        self.jobs.append(job)
        if len(job.chance) > self.most:
            raise torch.OutOfMemoryError
        for _ in range(job.steps + 1):  # one more than there are, as some schedules have it
            job.on_step("any", argument=1)
        times = np.arange(round(job.seconds * 8000) - 3) / 8000
        hums = [np.sin(2 * np.pi * one.initial_seed() * times) for one in job.chance]
        return np.stack(hums)[:, None].astype(np.float32)


def humming(folder, monkeypatch, *, batch=4, most=99, steps=""):
    """Return a generator that batches as it would on a GPU, and its family."""
    family = Humming(most)
    options = (("steps", steps),) if steps else ()
    made = Diffusion(
        family,
        read_layout(folder(FAMILY)),
        recipe(folder(FAMILY), options=options),
        torch.device("cpu"),
    )
    made._batch, made._pipe = batch, object()
    return made, family


def pitch(clip):
    spectrum = np.abs(np.fft.rfft(clip.audio.samples[:, 0]))
    return round(float(spectrum.argmax() / clip.audio.seconds))


def test_clips_that_are_alike_are_made_together_in_full_batches(folder, monkeypatch, file):
    generator, family = humming(folder, monkeypatch)
    filling = Source(audio=file, use=SourceUse.FILL, start=0.1, end=0.9)
    varied = Source(audio=file, use=SourceUse.VARY, strength=0.3)
    asked = [
        *(request(seed) for seed in (500, 501, 502, 503, 504)),
        request(505, prompt="another length"),
        request(506, seconds=2.0),
        request(507, draft=True),
        request(508, source=filling),
        request(509, source=filling),
        request(510, source=varied),
    ]
    counted = []
    made = generator.generate(asked, progress=lambda *now: counted.append(now))
    assert [pitch(clip) for clip in made[:8]] == [500, 501, 502, 503, 504, 505, 506, 507]
    assert all(clip.audio.seconds == one.seconds for clip, one in zip(made, asked, strict=True))
    assert [len(job.chance) for job in family.jobs] == [4] * 6
    assert [job.steps for job in family.jobs] == [10, 10, 10, 3, 10, 10]
    assert family.jobs[0].words == {"prompt": ["slow jazz"] * 4}
    assert family.jobs[1].words == {"prompt": ["slow jazz", "another length", *["slow jazz"] * 2]}
    assert family.jobs[-2].use is SourceUse.FILL
    assert family.jobs[-1].audio.shape == (4, 2, 8000)
    assert family.jobs[-1].strength == 0.3
    assert counted == [(step, 53) for step in range(1, 54)]
    assert made[7].description["steps"] == "3"
    (embedded,) = generator.generate([request(511, embedding=bytes(16))])
    assert pitch(embedded) == 511
    assert family.jobs[-1].words["prompt_embeds"].shape == (4, 2, 2)


@pytest.mark.parametrize(("family", "batch"), [("ace-step", 1), ("audioldm2", 1), (FAMILY, 6)])
def test_families_whose_clips_would_hear_each_other_make_one_at_a_time(family, batch, folder):
    limits = create_generator(recipe(folder(family)))._limits
    assert limits.batched == (batch > 1)
    elsewhere = Diffusion(
        FAMILIES[read_layout(folder(family)).kind],
        read_layout(folder(family)),
        recipe(folder(family), batch=6),
        torch.device("meta"),
    )
    assert elsewhere.capabilities.batch == batch


@pytest.mark.parametrize(
    ("family", "use"),
    [
        ("stable-audio", SourceUse.VARY),
        ("stable-audio-3", SourceUse.FILL),
        ("musicldm", None),
        ("riffusion", SourceUse.FILL),
    ],
)
def test_a_batch_sounds_like_its_clips_alone_but_for_the_last_bits(
    family, use, generator, monkeypatch, file
):
    """On a CPU it has other last bits, so clips are made alone there; on a GPU batches are always full."""
    one = generator(family)
    source = Source(audio=file, use=use, strength=0.5, start=0.2, end=0.8) if use else None
    asked = [request(seed, source=source) for seed in (1, 2)]
    alone = one.generate(asked)
    monkeypatch.setattr(one, "_batch", 3)
    together = one.generate(asked)
    for first, second in zip(alone, together, strict=True):
        assert np.abs(first.audio.samples - second.audio.samples).mean() < 1e-3


@pytest.mark.parametrize("shape", [(0, 1, 8000), (4, 3, 8000), (4, 8000)])
def test_what_is_no_stereo_sound_is_said(folder, monkeypatch, shape):
    generator, family = humming(folder, monkeypatch)
    monkeypatch.setattr(family, "play", lambda pipe, job: np.zeros(shape, dtype=np.float32))
    with pytest.raises(GenerationError, match="which is no stereo sound"):
        generator.generate([request()])


def test_a_batch_that_does_not_fit_is_halved_and_says_so(folder, monkeypatch, caplog):
    generator, family = humming(folder, monkeypatch, most=2)
    made = generator.generate([request(seed) for seed in (500, 501, 502)])
    assert [pitch(clip) for clip in made] == [500, 501, 502]
    assert [len(job.chance) for job in family.jobs] == [4, 2, 2]
    assert "4 clips of tiny do not fit into memory" in caplog.text
    assert generator.capabilities.batch == 2
    assert generator.info.version.endswith("-2-10")
    assert made[0].description["batch"] == "2"
    none, _ = humming(folder, monkeypatch, most=0)
    with pytest.raises(NoRoomError, match="A clip of 1 seconds does not fit"):
        none.generate([request()])


@pytest.mark.parametrize("family", ["stable-audio", FAMILY, "ace-step", "musicldm", "riffusion"])
def test_weights_in_the_format_of_a_gpu_play_too(family, folder, file):
    """Parts of a pipeline must agree on it, with words, embeddings and sounds."""
    one = create_generator(recipe(folder(family), options=(("steps", "2"),)))
    one._number = getattr(torch, one._family.number)
    able = one.capabilities
    embedding = np.ones((1, able.embedding), "<f4").tobytes()
    asked = [request(), *([request(embedding=embedding)] if embedding else [])]
    for use in able.sources:
        source = Source(audio=file, use=use, start=0.2, end=0.8)
        asked.append(request(source=source))
    assert [one.audio.frames for one in one.generate(asked)] == [44_100] * len(asked)


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, RuntimeError, KeyError])
@pytest.mark.parametrize("where", ["play", "words"])
def test_what_a_pipeline_refuses_is_a_sentence(generator, monkeypatch, where, error):
    def refuse(self, *_):
        raise error("shapes differ\nhere")

    one = generator(FAMILY)
    monkeypatch.setattr(type(one._family), where, refuse)
    with pytest.raises(GenerationError, match=r"cannot be played: .*shapes differ"):
        one.generate([request()])


def test_a_tokenizer_without_a_limit_is_a_sentence(folder, tmp_path):
    copy = copied(folder("stable-audio"), tmp_path)
    change(copy / "tokenizer/tokenizer_config.json", model_max_length=None)
    with pytest.raises(GenerationError, match=r"tokenizer_config.json says no model_max_length"):
        create_generator(recipe(copy)).generate([request()])


@pytest.mark.parametrize("family", ["stable-audio", FAMILY])
def test_a_batch_is_cancelled_between_steps(family, generator):
    one = generator(family)
    counted = []

    def stop(done, total):
        counted.append((done, total))
        if done == 6:
            raise Cancelled

    with pytest.raises(Cancelled):
        one.generate([request(), request(4)], progress=stop)
    told = [one for one in dict.fromkeys(counted) if one[0]]  # slow steps are told more than once
    assert told == [(step, 8) for step in range(1, 7)]
    assert one.generate([request()])[0].audio.frames == 44_100


def test_what_takes_long_before_and_after_the_steps_is_told(generator, monkeypatch):
    monkeypatch.setattr(telling, "EVERY", 0.0)
    counted = []
    generator("stable-audio").generate([request()], progress=lambda *now: counted.append(now))
    assert counted[0] == (0, 1)
    assert counted.count((3, 4)) > 3, "the last step, and the codec"
    assert counted[-1] == (4, 4)


def test_steps_are_those_of_the_checkpoint_or_of_the_recipe(folder, monkeypatch):
    made = create_generator(recipe(folder(FAMILY)))
    assert made.info.version.endswith("-8")
    counted = []
    made.generate([request(draft=True)], progress=lambda *now: counted.append(now))
    assert counted[-1] == (4, 4)
    few, family = humming(folder, monkeypatch, steps="2")
    few.generate([request(500), request(500, draft=True)])
    assert [job.steps for job in family.jobs] == [2]
    for wrong in ("0", "-1", "many"):
        with pytest.raises(GenerationError, match="a whole number above 0"):
            create_generator(recipe(folder(FAMILY), options=(("steps", wrong),)))


def test_memory_is_given_back_and_weights_are_loaded_again(folder):
    made = create_generator(recipe(folder(FAMILY), options=(("steps", "2"),)))
    made.prepare()
    first = made.generate([request()])[0].audio.samples
    made.release()
    assert made._pipe is None
    assert np.array_equal(made.generate([request()])[0].audio.samples, first)


def test_a_checkpoint_that_is_not_distilled_takes_guidance_and_many_steps(folder, tmp_path):
    copy = copied(folder(FAMILY), tmp_path)
    change(copy / "scheduler/scheduler_config.json", stochastic_sampling=False)
    limits = create_generator(recipe(copy))._limits
    assert (limits.steps, limits.draft, limits.guidance) == (100, 30, 7.0)
    copy = copied(folder("ace-step"), tmp_path / "ace")
    change(copy / "transformer/config.json", is_turbo=False)
    made = create_generator(recipe(copy, options=(("steps", "2"),)))
    assert made._limits.guidance == 7.0
    assert made.generate([request()])[0].audio.frames == 44_100


def test_a_scheduler_without_levels_of_noise_varies_nothing(folder, tmp_path):
    copy = copied(folder("stable-audio"), tmp_path)
    config = json.loads((copy / "scheduler/scheduler_config.json").read_text())
    del config["sigma_max"]
    (copy / "scheduler/scheduler_config.json").write_text(json.dumps(config))
    assert create_generator(recipe(copy)).capabilities.sources == frozenset()


def test_weights_in_half_precision_alone_are_loaded(folder, tmp_path):
    copy = copied(folder(FAMILY), tmp_path)
    for part, stem in (("vae", "diffusion_pytorch_model"), ("text_encoder", "model")):
        (copy / part / f"{stem}.safetensors").rename(copy / part / f"{stem}.fp16.safetensors")
    create_generator(recipe(copy)).prepare()


def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def change(file, **values):
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def cut(folder):
    file = folder / "transformer/diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])


def lacking(folder):
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    file = folder / "transformer/diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    del tensors["to_cond_embed.0.weight"]
    save_file(tensors, file, metadata={"format": "pt"})


def pickled(folder):
    (folder / "vae/diffusion_pytorch_model.safetensors").rename(folder / "vae/model.bin")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "model_index.json").unlink(), "There is no pipeline"),
        (lambda folder: (folder / "model_index.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "model_index.json").write_text("[]"), "is no JSON object"),
        (lambda folder: (folder / "model_index.json").write_text("{}"), "names no pipeline"),
        (lambda folder: change(folder / "model_index.json", _class_name="FluxPipeline"), "Flux"),
        (lambda folder: shutil.rmtree(folder / "vae"), "lacks the part vae"),
        (lambda folder: (folder / "vae/config.json").unlink(), "lacks vae/config.json"),
        (lambda folder: (folder / "vae/config.json").write_text("[" * 9999), "cannot be read"),
        (lambda folder: change(folder / "model_index.json", vae=["diffusers", 3]), "3. of vae"),
        (
            lambda folder: change(folder / "model_index.json", **{"../vae": ["diffusers", "Vae"]}),
            "a part '../vae', which is no name",
        ),
        (
            lambda folder: change(folder / "duration_embedder/config.json", max_val=0.5),
            "duration_embedder/config.json says 0.5 of max_val",
        ),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_at_once(folder, tmp_path, damage, words):
    copy = copied(folder(FAMILY), tmp_path)
    damage(copy)
    with pytest.raises(GenerationError, match=words) as caught:
        create_generator(recipe(copy))
    assert "\n" not in str(caught.value)


READ = {
    "stable-audio": [
        ("vae", "sampling_rate"),
        ("vae", "downsampling_ratios"),
        ("transformer", "sample_size"),
        ("text_encoder", "d_model"),
    ],
    FAMILY: [
        ("vae", "sampling_rate"),
        ("duration_embedder", "max_val"),
        ("transformer", "cond_token_dim"),
    ],
    "ace-step": [("vae", "sampling_rate")],
    "audioldm2": [
        ("vocoder", "sampling_rate"),
        ("vocoder", "upsample_rates"),
        ("vae", "block_out_channels"),
        ("unet", "sample_size"),
        ("text_encoder_2", "d_model"),
    ],
    "musicldm": [("text_encoder", "projection_dim")],
    "riffusion": [("text_encoder", "hidden_size")],
}
ODD = [None, 0, -1, "x", [], {}, [0], [[]], True, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize(
    ("family", "part", "key"), [(family, *one) for family, keys in READ.items() for one in keys]
)
def test_odd_numbers_of_a_part_are_named_with_their_file(folder, tmp_path, family, part, key):
    (tmp_path / "odd").mkdir()
    for one in folder(family).iterdir():
        (tmp_path / "odd" / one.name).symlink_to(one)
    (tmp_path / "odd" / part).unlink()
    (tmp_path / "odd" / part).mkdir()
    file = tmp_path / "odd" / part / "config.json"
    config = json.loads((folder(family) / part / "config.json").read_text())
    for value in ODD:
        file.write_text(json.dumps({**config, key: value}))
        with pytest.raises(GenerationError) as caught:
            create_generator(recipe(tmp_path / "odd"))
        assert str(caught.value).startswith(f"{file} says ")
        assert f" of {key}, where " in str(caught.value)
    del config[key]
    file.write_text(json.dumps(config))
    with pytest.raises(GenerationError, match=f"says nothing of {key}"):
        create_generator(recipe(tmp_path / "odd"))


def test_a_window_that_is_shorter_than_any_clip_is_said(folder, tmp_path):
    copy = copied(folder("stable-audio"), tmp_path)
    change(copy / "transformer/config.json", sample_size=1)
    with pytest.raises(GenerationError, match="says that its clips last 0 s at most"):
        create_generator(recipe(copy))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "transformer .* cannot be loaded: .* damaged, cut off"),
        (lacking, "transformer .* lacks 1 tensors, such as to_cond_embed.0.weight"),
        (pickled, "vae .* has no weights as safetensors"),
        (lambda folder: change(folder / "transformer/config.json", depth=2), "lacks .* tensors"),
        (lambda folder: change(folder / "transformer/config.json", embed_dim=64), "transformer"),
        (
            lambda folder: change(folder / "model_index.json", vae=["stranger", "Vae"]),
            "wants Vae of stranger, .* code of others is not run",
        ),
        (
            lambda folder: change(folder / "model_index.json", vae=["diffusers", "DDIMScheduler"]),
            "vae",
        ),
        (lambda folder: (folder / "tokenizer/tokenizer.json").write_text("{"), "tokenizer"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_when_it_is_loaded(folder, tmp_path, damage, words):
    copy = copied(folder(FAMILY), tmp_path)
    damage(copy)
    made = create_generator(recipe(copy))
    with pytest.raises(GenerationError, match=words) as caught:
        made.prepare()
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_into_memory_are_not_called_damaged(folder, monkeypatch):
    from diffusers import AutoencoderSAME  # noqa: PLC0415

    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(AutoencoderSAME, "from_pretrained", full)
    with pytest.raises(GenerationError, match="do not fit into the memory of cpu"):
        create_generator(recipe(folder(FAMILY))).prepare()


def test_a_device_that_is_not_there_is_said(folder):
    if torch.cuda.is_available():
        pytest.skip("THERE IS A GPU: its absence was not tested")
    with pytest.raises(GenerationError, match="PyTorch sees no GPU"):
        create_generator(recipe(folder(FAMILY), device="cuda:0"))


def test_a_pipeline_as_it_was_published_in_2022_plays(folder, tmp_path, file):
    """Riffusion's autoencoder has older names, its scheduler counts one step more, and it looks at pictures."""
    from diffusers import PNDMScheduler  # noqa: PLC0415
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    copy = copied(folder("riffusion"), tmp_path)
    weights = copy / "vae/diffusion_pytorch_model.safetensors"
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = {}
    for name, tensor in load_file(weights).items():
        for new, old in older.items():
            name = name.replace(f"attentions.0.{new}", f"attentions.0.{old}")  # noqa: PLW2901
        tensors[name] = tensor
    save_file(tensors, weights, metadata={"format": "pt"})
    PNDMScheduler(skip_prk_steps=True, steps_offset=1).save_pretrained(copy / "scheduler")
    change(
        copy / "model_index.json",
        scheduler=["diffusers", "PNDMScheduler"],
        safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"],
        feature_extractor=["transformers", "CLIPFeatureExtractor"],
    )
    (copy / "feature_extractor").mkdir()
    made = create_generator(recipe(copy, options=(("steps", "5"),)))
    for source in (None, Source(audio=file, use=SourceUse.VARY, strength=0.4)):
        counted = []
        (clip,) = made.generate(
            [request(source=source)], progress=lambda *now, told=counted: told.append(now)
        )
        assert clip.audio.frames == 44_100
        assert counted == sorted(counted)
        assert counted[-1] == (5, 5)


def test_parts_that_nobody_needs_are_left_out(folder, tmp_path):
    copy = copied(folder("ace-step"), tmp_path)
    change(
        copy / "model_index.json",
        audio_tokenizer=["ace_step", "AceStepAudioTokenizer"],
        audio_token_detokenizer=["ace_step", "AceStepAudioTokenDetokenizer"],
    )
    made = create_generator(recipe(copy, options=(("steps", "2"),)))
    assert made.generate([request()])[0].audio.frames == 44_100


def test_a_language_model_that_was_published_without_its_head_is_loaded(folder, tmp_path):
    """Published AudioLDM 2 names GPT2Model, which cannot go on from what it said any more."""
    from transformers import GPT2LMHeadModel  # noqa: PLC0415

    copy = copied(folder("audioldm2"), tmp_path)
    whole = GPT2LMHeadModel.from_pretrained(copy / "language_model")
    whole.transformer.save_pretrained(copy / "language_model")
    change(copy / "model_index.json", language_model=["transformers", "GPT2Model"])
    options = (("steps", "2"),)
    (made,) = create_generator(recipe(copy, options=options)).generate([request()])
    (same,) = create_generator(recipe(folder("audioldm2"), options=options)).generate([request()])
    assert np.array_equal(made.audio.samples, same.audio.samples)
