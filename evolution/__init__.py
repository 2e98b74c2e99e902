"""Searchers: what proposes the next candidates of a run. They are asked and told, and know nothing of sound."""
