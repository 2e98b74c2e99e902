"""What holds for every test: sounds come from the dependencies alone, whatever else this machine has installed."""

import os

os.environ["XDG_DATA_DIRS"] = os.environ["XDG_DATA_HOME"] = "/nonexistent"
os.environ["HOMEBREW_PREFIX"] = ""

from hypothesis import settings

# The same examples each time: a clean machine is to say whether a change is right, not to draw lots. Set
# HYPOTHESIS_PROFILE=explore to look for new ones.
# No deadline for an example: what it takes depends on what else the cores do.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
