"""What a test has in place of an environment's Python: this Python, with the stand-in for audiocraft on its path."""

import runpy
import sys
from pathlib import Path

flag, script, *arguments = sys.argv[1:]
if flag != "-I":
    sys.exit(f"The worker is to run isolated, not with {flag}.")
sys.path.insert(0, str(Path(__file__).with_name("stand_in")))
sys.argv = [script, *arguments]
runpy.run_path(script, run_name="__main__")
