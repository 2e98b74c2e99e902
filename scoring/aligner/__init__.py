"""Aligners: one space for listeners and music, learned from who listened to what."""
