"""What a test has in place of an environment's Python where audiocraft itself does not matter: answers, and sines."""

import json
import runpy
import sys
from pathlib import Path

_, _, *arguments = sys.argv[1:]
if "--check" in arguments:
    kinds = ["magnet", "style"]
    versions = {"python": "3.10.4", "torch": "2.1.0", "audiocraft": "1.3.0", "gpu": ""}
    print(json.dumps({**versions, "kinds": kinds}))  # noqa: T201
elif "--fetch" in arguments:
    print(json.dumps(arguments[arguments.index("--model") + 1]))  # noqa: T201
else:
    script = Path(__file__).parents[1] / "serving" / "scripted_worker.py"
    sys.argv = [str(script)]
    runpy.run_path(str(script), run_name="__main__")
