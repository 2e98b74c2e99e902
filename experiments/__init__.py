"""Experiments: the whole loop without people and without Discord, from a file that says what to compare."""
