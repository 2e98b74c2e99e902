"""Discord: commands, buttons, reactions, presentation. The only room that knows discord.py."""
