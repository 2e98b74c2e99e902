"""Conversation: what people say to the bot, turned into the use cases that commands call."""
