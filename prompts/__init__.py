"""Words about music: the vocabulary, the reader that turns text into facets and the writer that turns them back."""
