"""What the Snakefile asks of the package: the study, and one line about it, or one message and the end."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bnbench import config, configfile, interruption, planning, templating, words
from bnbench.chunks import is_there
from bnbench.errors import UserError
from bnbench.study import Study

RESULTS = Path("results")


def lend_package_to_jobs() -> None:
    """Let the shell commands of jobs find the package of this checkout, wherever they are started."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)


def study_or_exit(workflow: Any, merged: Mapping[str, Any]) -> Study:
    """The study in Snakemake's `merged` config; its plan is printed once, by the main process.

    Exits with one message where the config is wrong. Snakemake's own reading of the files loses duplicate keys, so they
    are read again, strictly; and its reading of `--config` loses the types of what is nested.
    """
    files = [_relative(Path(path)) for path in workflow.configfiles]
    overrides = configfile.typed(workflow.config_settings.config)
    sources = [str(path) for path in files] + ["--config"] * bool(overrides)
    try:
        for path in files:
            configfile.read(path)
        study = config.load(configfile.merged(merged, overrides), " + ".join(sources))
    except UserError as error:
        sys.exit(str(error))
    if workflow.is_main_process:
        interruption.go_on_after_a_kill(Path(".snakemake"))
        chunks = study.chunks()
        to_run = sum(not is_there(chunk, RESULTS) for chunk in chunks)
        print(f"{study.name}: {study.summary()}, {to_run} to run", file=sys.stderr)
        if warning := planning.warning(study):
            print(warning, file=sys.stderr)
    return study


def said(study: Study) -> dict[str, str]:
    """The words of a study's captions, as reStructuredText."""
    return {name: templating.rst(text) for name, text in words.facts(study).items()}


def check_or_exit(path: str) -> str:
    """`path`, if it is a config file that can be read; else exit with one message."""
    try:
        configfile.read(path)
    except UserError as error:
        sys.exit(str(error))
    return path


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
