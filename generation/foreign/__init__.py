"""Models in an environment of their own, with packages that cannot live beside ours: another process behind a pipe."""
