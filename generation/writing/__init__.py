"""From a plan to notes: every player writes a part."""
