"""A small bot on the real discord.py, doing once what a bot can do."""

import asyncio
import io
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands


class Rating(discord.ui.DynamicItem[discord.ui.Button], template=r"t:rate:(?P<clip>\d+)"):
    def __init__(self, clip: int) -> None:
        super().__init__(discord.ui.Button(label=f"Rate {clip}", custom_id=f"t:rate:{clip}"))
        self.clip = clip

    @classmethod
    async def from_custom_id(cls, _interaction, _item, match):
        return cls(int(match["clip"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"You rated {self.clip}.", ephemeral=True)


class Form(discord.ui.Modal):
    def __init__(self) -> None:
        super().__init__(title="Words", custom_id="t:form")
        self.classic = discord.ui.TextInput(label="Classic", custom_id="classic", min_length=2)
        self.labelled = discord.ui.TextInput(custom_id="labelled", required=False)
        self.pick = discord.ui.Select(
            custom_id="pick", options=[discord.SelectOption(label=each) for each in ("red", "blue")]
        )
        self.add_item(self.classic)
        self.add_item(discord.ui.Label(text="New style", component=self.labelled))
        self.add_item(discord.ui.Label(text="Pick one", component=self.pick))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        words = f"{self.classic.value}/{self.labelled.value}/{self.pick.values[0]}"
        await interaction.response.send_message(words, ephemeral=True)


class Pad(discord.ui.View):
    """Buttons and a select that answer in every way a component can be answered."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Update", custom_id="t:update")
    async def update(self, interaction: discord.Interaction, _button: Any) -> None:
        await interaction.response.edit_message(content="updated")

    @discord.ui.button(label="Quiet", custom_id="t:quiet")
    async def quiet(self, interaction: discord.Interaction, _button: Any) -> None:
        await interaction.response.defer()
        await interaction.followup.send("whisper", ephemeral=True)

    @discord.ui.button(label="Form", custom_id="t:open")
    async def form(self, interaction: discord.Interaction, _button: Any) -> None:
        await interaction.response.send_modal(Form())

    @discord.ui.button(label="Silent", custom_id="t:silent")
    async def silent(self, interaction: discord.Interaction, _button: Any) -> None:
        interaction.client.dispatch("kept", interaction)

    @discord.ui.select(
        custom_id="t:select",
        options=[discord.SelectOption(label=each) for each in ("one", "two")],
        row=1,
    )
    async def choose(self, interaction: discord.Interaction, select: Any) -> None:
        await interaction.response.send_message(f"chose {select.values[0]}", ephemeral=True)

    @discord.ui.select(cls=discord.ui.UserSelect, custom_id="t:who", row=2)
    async def who(self, interaction: discord.Interaction, select: Any) -> None:
        await interaction.response.send_message(
            f"picked {select.values[0].display_name}", ephemeral=True
        )


class Bot(discord.Client):
    def __init__(self, intents: discord.Intents) -> None:
        super().__init__(intents=intents, guild_ready_timeout=0.02)
        self.tree = app_commands.CommandTree(self)
        self.events: list[tuple[str, Any]] = []
        self._changed = asyncio.Event()

    async def before_identify_hook(self, _shard_id, *, initial=False):
        """Do not wait five seconds before identifying again."""

    async def setup_hook(self) -> None:
        add_commands(self.tree)
        self.add_view(Pad())
        self.add_dynamic_items(Rating)
        await self.tree.sync()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.events.append((event, args[0] if args else None))
        self._changed.set()
        super().dispatch(event, *args, **kwargs)

    async def saw(
        self, event: str, check: Callable[[Any], bool] = lambda _: True, *, times: int = 1
    ) -> Any:
        """Wait until an event has come ``times`` times, and give the last of them."""
        async with asyncio.timeout(10):
            while True:
                found = [data for name, data in self.events if name == event and check(data)]
                if len(found) >= times:
                    return found[-1]
                self._changed.clear()
                await self._changed.wait()


def add_commands(tree: app_commands.CommandTree) -> None:
    evolve = app_commands.Group(name="evolve", description="Breed music")

    @evolve.command(description="Start a run")
    async def start(
        interaction: discord.Interaction,
        vibe: str = "",
        person: discord.Member | None = None,
        where: discord.TextChannel | None = None,
        track: discord.Attachment | None = None,
        count: app_commands.Range[int, 1, 9] = 4,
    ) -> None:
        await interaction.response.defer()
        said = [vibe, person and person.display_name, where and where.name, count]
        said.append(len(await track.read()) if track else None)
        files = [
            discord.File(io.BytesIO(bytes([each]) * 500), f"clip-{each}.mp3") for each in range(2)
        ]
        await interaction.followup.send(f"started {said}", files=files)
        original = await interaction.original_response()
        await interaction.edit_original_response(content=original.content + " done")
        await interaction.followup.send("second")

    @start.autocomplete("vibe")
    async def vibes(_interaction: discord.Interaction, current: str):
        words = [each for each in ("dark", "dreamy", "loud") if each.startswith(current)]
        return [app_commands.Choice(name=each.title(), value=each) for each in words]

    tree.add_command(evolve)

    @tree.command(description="Say hello")
    async def hello(interaction: discord.Interaction) -> None:
        callback = await interaction.response.send_message("hi", ephemeral=True)
        message = await interaction.original_response()
        await message.edit(
            content=f"hi {callback.resource.id == message.id} {interaction.permissions.value}"
        )

    @tree.command(description="Only for moderators")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def reset(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("reset")

    @tree.context_menu(name="Breed from this")
    async def breed(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"from {message.content}", ephemeral=True)

    @tree.context_menu(name="Who is this")
    async def who(interaction: discord.Interaction, member: discord.Member) -> None:
        await interaction.response.send_message(f"this is {member.display_name}", ephemeral=True)
