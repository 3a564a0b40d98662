"""A copy of the package that a test may change as its user would: by text, and run as its user would."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

WORKFLOW = Path(__file__).parents[2] / "workflow"

_ADDRESSES = """
import json, sys
from bnbench.plan import config, configfile
study = config.load(configfile.read(sys.argv[1]), sys.argv[1])
print(json.dumps({setting.address: setting.to_json() for setting in study.settings}))
"""

_RUN = """
import sys
from bnbench import cli
from bnbench.plan import chunks, config, configfile, cost
from bnbench.store import handed
study = config.load(configfile.read(sys.argv[1]), sys.argv[1])
handed.keep(handed.text(study))
file = str(handed.path(handed.text(study)))
for chunk in chunks.all_chunks(study, cost.seeds_per_job):
    seeds = ["--first", str(chunk.first), "--last", str(chunk.last)]
    if status := cli.main(["train", "--study", file, "--setting", chunk.setting.address, *seeds]):
        sys.exit(status)
sys.exit(cli.main(["rebuild", "--configfile", sys.argv[1]]))
"""


class Package:
    """The folder `workflow` in a folder of its own, with a study in `study.yaml`."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(WORKFLOW, folder / "workflow", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))

    def edit(self, file, old, new):
        """Replace the one `old` in a file under workflow/."""
        path = self.folder / "workflow" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, file, text):
        """Write `text` at the end of a file under workflow/."""
        with (self.folder / "workflow" / file).open("a", encoding="utf-8") as stream:
            stream.write(text)

    def study(self, **keys):
        """Make `study.yaml` a study of these keys."""
        (self.folder / "study.yaml").write_text(yaml.safe_dump({"study": "own", **keys}), encoding="utf-8")

    def settings(self):
        """Address → canonical spec of the study's settings."""
        return json.loads(self._python("-c", _ADDRESSES, "study.yaml"))

    def bnbench(self, verb):
        """What a verb of the command line says of the study."""
        return self._python("-m", "bnbench", verb, "--configfile", "study.yaml")

    def run(self):
        """Train all jobs of the study and render its report, verb by verb; what the last one says."""
        return self._python("-c", _RUN, "study.yaml")

    def python(self, code):
        """What a few lines of Python print."""
        return self._python("-c", code)

    def _python(self, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "workflow"), "PYTHONDONTWRITEBYTECODE": "1"}
        options = {"cwd": self.folder, "env": environment, "capture_output": True, "text": True, "timeout": 300}
        ended = subprocess.run([sys.executable, *arguments], check=False, **options)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout
