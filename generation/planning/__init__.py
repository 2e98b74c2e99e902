"""From facets to a plan: style, key, form, chords, players."""
