"""Prompt to sound: the built-in composer, and the seam that other generators fill."""
