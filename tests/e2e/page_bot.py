"""A small bot on the real client library: it has one of everything that the page must be able to show."""

from __future__ import annotations

import asyncio
import io

import discord
import numpy as np
import soundfile
from discord import app_commands

RATE = 16_000
CLIP_SECONDS = 3.0
FACES = ("😖", "😐", "🙂", "😍", "⭐")
VIBES = ("rainy night", "rainy morning", "sunny noon")
SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
ATTACK = f"{SCRIPT} [click](javascript:window.hacked=1) **bold** ||secret||"


def clip(pitch: float, form: str) -> bytes:
    """A few seconds of one tone."""
    time = np.arange(int(RATE * CLIP_SECONDS)) / RATE
    samples = (0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)
    out = io.BytesIO()
    soundfile.write(out, samples, RATE, format=form)
    return out.getvalue()


def grid() -> discord.ui.View:
    """Five rows of five buttons: four for the clips, one for what comes next."""
    view = discord.ui.View(timeout=None)
    for row in range(4):
        for face in FACES:
            view.add_item(discord.ui.Button(emoji=face, custom_id=f"rate:{row}:{face}", row=row))
    for label in ("Next", "Form", "Branch", "Silent", "Count"):
        view.add_item(discord.ui.Button(label=label, custom_id=label.lower(), row=4))
    return view


def menus() -> discord.ui.View:
    """One menu for several texts, one for a person."""
    view = discord.ui.View(timeout=None)
    options = [discord.SelectOption(label=f"Clip {name}", value=name) for name in "ABC"]
    view.add_item(discord.ui.Select(custom_id="pick", options=options, min_values=2, max_values=3))
    view.add_item(discord.ui.UserSelect(custom_id="who", placeholder="Who?"))
    return view


class Survey(discord.ui.Modal, title="Tell us"):
    """A form with a short and a long text and a choice."""

    name = discord.ui.TextInput[discord.ui.View](
        label="Name", custom_id="name", min_length=2, max_length=20
    )
    words: discord.ui.Label[discord.ui.View] = discord.ui.Label(
        text="Words",
        component=discord.ui.TextInput(
            style=discord.TextStyle.paragraph, required=False, custom_id="words", default="as is"
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.words.component, discord.ui.TextInput)
        text = f"Thanks {self.name.value}: {self.words.component.value}"
        await interaction.response.send_message(text, ephemeral=True)


class PageBot(discord.Client):
    """Answers buttons and commands; ``settled`` is set once it is ready."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default(), guild_ready_timeout=0.1)
        self.tree = app_commands.CommandTree(self)
        self.pressed = 0
        self.settled = asyncio.Event()
        self._add_commands()

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_ready(self) -> None:
        self.settled.set()

    def channel(self, name: str) -> discord.TextChannel:
        """A text channel by name."""
        found = discord.utils.get(self.guilds[0].text_channels, name=name)
        assert found is not None
        return found

    async def post_round(self, name: str, text: str = "**Round 1**") -> str:
        """Post four clips with their buttons; gives the message id."""
        files = [
            discord.File(io.BytesIO(clip(220.0 * (1 + n / 4), form)), f"clip-{n}.{form.lower()}")
            for n, form in enumerate(("WAV", "MP3", "WAV", "MP3"))
        ]
        message = await self.channel(name).send(text, files=files, view=grid())
        return str(message.id)

    async def post(self, name: str, text: str, view: discord.ui.View | None = None) -> str:
        """Post a text; gives the message id."""
        more = {} if view is None else {"view": view}
        return str((await self.channel(name).send(text, **more)).id)

    async def post_elsewhere(self, name: str) -> str:
        """Post a card whose picture lives on another host; gives the message id."""
        card = discord.Embed(title="A picture from far away", description="![x](https://a.example)")
        card.set_image(url="https://a.example/picture.png")
        card.add_field(name="Field", value="**Value**").set_footer(text="Foot")
        return str((await self.channel(name).send(embed=card)).id)

    async def post_menus(self, name: str) -> str:
        """Post two select menus; gives the message id."""
        return await self.post(name, "Choose", menus())

    async def rewrite(self, name: str, message_id: str, text: str) -> None:
        """Change a message."""
        message = await self.channel(name).fetch_message(int(message_id))
        await message.edit(content=text)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is not discord.InteractionType.component:
            return
        custom_id = str((interaction.data or {})["custom_id"])
        if custom_id.startswith("rate:"):
            _, row, face = custom_id.split(":")
            text = f"You gave clip {'ABCD'[int(row)]} a {face}"
            await interaction.response.send_message(text, ephemeral=True)
        elif custom_id in {"pick", "who"}:
            chosen = sorted((interaction.data or {}).get("values", []))
            await interaction.response.send_message(f"Chosen {chosen}", ephemeral=True)
        elif custom_id == "form":
            await interaction.response.send_modal(Survey())
        elif custom_id == "branch":
            assert interaction.message is not None
            await interaction.response.defer()
            await interaction.message.create_thread(name="A branch")
        elif custom_id == "count":
            self.pressed += 1
            await interaction.response.edit_message(content=f"Pressed {self.pressed}")
        elif custom_id == "next":
            await interaction.response.defer(ephemeral=True, thinking=True)
            await interaction.followup.send("Breeding")

    def _add_commands(self) -> None:
        @self.tree.command(description="Compose something")
        @app_commands.describe(vibe="What it should sound like", bars="How long")
        async def compose(
            interaction: discord.Interaction,
            vibe: str,
            bars: app_commands.Range[int, 1, 16],
            loud: bool = False,
        ) -> None:
            await interaction.response.send_message(f"vibe={vibe} bars={bars} loud={loud}")

        @compose.autocomplete("vibe")
        async def suggest(
            _interaction: discord.Interaction, current: str
        ) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=v, value=v.upper()) for v in VIBES if current in v]

        evolve = app_commands.Group(name="evolve", description="Breed music")
        self.tree.add_command(evolve)

        @evolve.command(description="Start")
        async def start(interaction: discord.Interaction) -> None:
            await interaction.response.defer(thinking=True)
            await interaction.edit_original_response(content="Started")

        @self.tree.command(description="Send a file")
        async def upload(interaction: discord.Interaction, file: discord.Attachment) -> None:
            data = await file.read()
            await interaction.response.send_message(f"{file.filename} has {len(data)} bytes")

        @self.tree.command(description="Moderators only")
        @app_commands.default_permissions(manage_guild=True)
        async def tidy(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("Tidied", ephemeral=True)

        @self.tree.context_menu(name="Inspect")
        async def inspect(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(f"Inspected {message.id}", ephemeral=True)
