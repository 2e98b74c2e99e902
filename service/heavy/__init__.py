"""Generators that are too heavy for the bot's own processes: one process for a device, watched over."""
