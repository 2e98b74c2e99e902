"""Descriptions: made of a composition, checked, mended, played, and read back from notes."""
