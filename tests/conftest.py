"""What holds for every test: sounds come from the dependencies alone, whatever else this machine has installed."""

import os

os.environ["XDG_DATA_DIRS"] = os.environ["XDG_DATA_HOME"] = "/nonexistent"
os.environ["HOMEBREW_PREFIX"] = ""
