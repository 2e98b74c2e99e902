"""Everything that talks to a language model: the seam, the client, the searchers that breed with one."""
