"""Learns to write descriptions from the ten features, from songs that a user brings as CSV and MIDI files."""
