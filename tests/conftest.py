"""What holds for every test: sounds come from the dependencies alone, whatever else this machine has installed."""

import os

os.environ["XDG_DATA_DIRS"] = os.environ["XDG_DATA_HOME"] = "/nonexistent"
os.environ["HOMEBREW_PREFIX"] = ""

from hypothesis import settings

# The same examples each time: a clean machine is to say whether a change is right, not to draw lots. Set
# HYPOTHESIS_PROFILE=explore to look for new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
