"""All that this project knows of Snakemake beyond its documented language. Tested with Snakemake 9.27.0 and 9.27.1.

A new release is tried by running tests/workflow; what it breaks is repaired here. One more internal is in
workflow/rules/common.smk, `workflow.current_basedir`, since it is what finds this package.

Snakemake keeps a lock and a list of unfinished jobs under `.snakemake`; after kill -9 both stay, and it would ask for
`--unlock` and `--rerun-incomplete`. Here neither is needed: all files are written atomically, so a file that exists is
whole, and whether anybody still runs is known from a lock that the kernel gives back when its holder dies.
"""

import contextlib
import logging
import sys
from pathlib import Path
from typing import Any

from bnbench import at_work


def is_guest(workflow: Any) -> bool:
    """Whether another workflow uses this one as a module; then Snakemake's settings are that one's alone."""
    return not workflow.modifier.is_main_snakefile()


def is_handed_its_config(workflow: Any) -> bool:
    """Whether the workflow that uses this one says what the config is: `module bnbench: config: …`."""
    return is_guest(workflow) and bool(workflow.modifier.skip_configfile)


def is_main_process(workflow: Any) -> bool:
    """Whether this process plans the run; each job parses the workflow once more in its own."""
    return bool(workflow.is_main_process)


def jobs_run_in_an_image(workflow: Any) -> bool:
    """Whether `--sdm apptainer` is given."""
    settings = workflow.deployment_settings  # there are none where the workflow is only linted
    return bool(settings) and any(method.name == "APPTAINER" for method in settings.deployment_method)


def config_files(workflow: Any) -> list[Path]:
    """The config files that were read so far, by `--configfile` or by the workflow."""
    return [Path(path) for path in workflow.configfiles]


def overrides(workflow: Any, config: Any) -> dict[str, Any]:
    """What `--config` says, if it is about `config`: not if that is a part of another workflow's config."""
    return dict(workflow.config_settings.config) if workflow.modifier_stack[0].globals["config"] is config else {}


def keep_incomplete(workflow: Any) -> None:
    """`--keep-incomplete`: let Snakemake remove no output of a job that failed."""
    if workflow.execution_settings:  # there are none where the workflow is only linted
        workflow.execution_settings.keep_incomplete = True


def say_nothing_of_backups() -> None:
    """Let no failed job be followed by `Cannot restore …: no backup found`, a line for each of its tables.

    Snakemake keeps a copy of an output that a job updates. Here no job begins where its tables exist.
    """
    logging.getLogger("snakemake.logging").addFilter(_is_no_missing_backup)


def _is_no_missing_backup(record: logging.LogRecord) -> bool:
    said = str(record.msg)
    return not (said.startswith("Cannot restore ") and said.endswith("no backup found."))


def is_dry_run(workflow: Any) -> bool:
    """Whether `-n` is given."""
    return bool(workflow.output_settings.dryrun)


def go_on_after_a_kill(state: Path, *, dry_run: bool = False) -> None:
    """Forget the locks and unfinished jobs of a dead run in `state`, unless another run is alive there.

    If one is, Snakemake may refuse to lock the files of this run, and says which other one there is.
    """
    with contextlib.suppress(OSError):  # a folder that cannot be written is Snakemake's to complain of
        state.mkdir(exist_ok=True)
        with at_work.joined(state / "running", noted=not dry_run) as others:
            if others.alone:
                _forget(state, others)
        _explain_refusal(others.refusal())


def _forget(state: Path, others: at_work.Others) -> None:
    """Remove locks and notes of unfinished jobs; tell of runs on other machines, whose locks may not be seen here."""
    locks = [path for path in state.glob("locks/*") if path.is_file()]
    if locks and others.elsewhere:
        named = " and ".join(map(str, others.elsewhere))
        print(
            f"A run did not end in order here ({named}). If it is still at work there, stop one of the two: both would "
            "train the same.",
            file=sys.stderr,
        )
    for stale in (*locks, *state.glob("incomplete/**/*")):
        if stale.is_file():
            stale.unlink()


def _explain_refusal(words: str) -> None:
    """Let Snakemake say `words` where files are locked; its own advice, to unlock them, may be wrong."""
    from snakemake import exceptions  # noqa: PLC0415 - it is there already where a Snakefile is read

    def explained(self: exceptions.LockException) -> None:
        exceptions.WorkflowError.__init__(self, words)

    exceptions.LockException.__init__ = explained
