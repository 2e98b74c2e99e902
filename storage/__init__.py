"""The only room that knows SQL: one SQLite file for facts, a content-addressed folder for audio."""
