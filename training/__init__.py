"""Offline training: what a host runs for hours on data of their own, never the bot."""
