"""Use cases: start a run, advance it, record a vote, learn a taste, post a clip. Knows no Discord."""
