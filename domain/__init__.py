"""Words that two rooms or more share: ids, facets, candidates, clips, votes, runs, errors. Standard library only."""
