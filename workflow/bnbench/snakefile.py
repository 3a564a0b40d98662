"""What the Snakefile asks of the package: the study, and one line about it; or what is wrong, and the end."""

import contextlib
import getpass
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bnbench import dry_runs, forecast, snakemake_internals
from bnbench.cluster import checks, executor, limits, partitions, plugin, profile, requests
from bnbench.cluster import image as cluster_image
from bnbench.cluster.job_logs import JobLogs
from bnbench.errors import UserError
from bnbench.plan import config, configfile, cost
from bnbench.plan.chunks import Chunk, all_chunks
from bnbench.plan.limits import refuse_large
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.store import files, handed, package_hash, probes, progress, results_folder
from bnbench.store.chunk_files import is_there
from bnbench.vocabulary import PACKAGE
from bnbench.wording import captions, formats, templating

_NAMED = 10  # jobs by name, after an error

_PACKAGE, _MARK = "BNBENCH_PACKAGE", "BNBENCH_MARK"
"""Environment variables by which the main process tells the processes of a cluster's jobs what it saw."""


def lend_package_to_jobs() -> None:
    """Let the shell commands of jobs find the package of this checkout, wherever they are started.

    And let a user's code go through a set in the same order in all of them, else arms may start from other weights.
    """
    os.environ["PYTHONHASHSEED"] = "0"
    ours, theirs = str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")
    others = [path for path in theirs.split(os.pathsep) if path not in ("", ours)]
    os.environ["PYTHONPATH"] = os.pathsep.join([ours, *others])


def lend_interpreter_to_jobs(workflow: Any) -> None:
    """Let jobs that call `python` get the one that planned them, whatever the shell's PATH finds; not in an image.

    A folder that holds nothing but `python` comes first on the PATH, so no other program is hidden, such as those of
    environment modules.
    """
    if snakemake_internals.jobs_run_in_an_image(workflow):
        return
    lent = Path(".snakemake/interpreter/python").absolute()
    on_path = shutil.which("python")
    if on_path and Path(on_path).parent in (lent.parent, Path(sys.executable).parent):
        return
    with contextlib.suppress(UserError):  # a folder that cannot be written is Snakemake's to complain of
        files.write_text(lent, f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        lent.chmod(0o755)
        os.environ["PATH"] = os.pathsep.join([str(lent.parent), *filter(None, [os.environ.get("PATH")])])


def name_the_user() -> None:
    """Give Snakemake a name for its log where the user has none, such as a number that a container is started with."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = str(os.getuid())


def keep_what_exists(workflow: Any) -> None:
    """Let Snakemake remove no output of a job that failed, and ask nothing after a run was killed.

    A file that exists is whole, and may be one that another study, which shares the results, has written meanwhile.
    A workflow that uses this one as a module has files of its own, of which nobody can say that.
    """
    if snakemake_internals.is_guest(workflow):
        return
    snakemake_internals.keep_incomplete(workflow)
    snakemake_internals.say_nothing_of_backups()
    if snakemake_internals.is_main_process(workflow):
        dry_run = snakemake_internals.is_dry_run(workflow)
        snakemake_internals.go_on_after_a_kill(Path(".snakemake"), dry_run=dry_run)


def follow_jobs(workflow: Any) -> None:
    """Let our own room follow the jobs in SLURM, so that a run ends or says what it waits for.

    It takes a job whose files exist for done, which a workflow that uses this one as a module may not want of its own.
    """
    if snakemake_internals.is_main_process(workflow) and not snakemake_internals.is_guest(workflow):
        executor.attend()


def image() -> str:
    """Where the container image of this checkout lies, as seen from here."""
    return str(cluster_image.path())


def before_the_first_job(study: Study, workflow: Any) -> None:
    """Exit where no job could run: its results could not be written, it has no image, or SLURM would refuse it."""
    _mark_results_or_exit(study)
    read = profile.in_use(sys.argv[1:])
    if snakemake_internals.jobs_run_in_an_image(workflow):
        key = cluster_image.method(read) if read else ""
        if said := cluster_image.missing(f"{read.where(key)}: {key}" if read and key else "--sdm apptainer"):
            sys.exit(said)
    if plugin.is_used(workflow):
        plugin.guess_no_account(workflow)
        _accepted_or_exit(workflow, read)


def _accepted_or_exit(workflow: Any, read: profile.Profile | None) -> None:
    """See whether SLURM accepts all jobs; exit with what to mend where not, or with one line where it is silent."""
    asked = requests.largest(requests.Request(rule, 1, *sizes) for rule, sizes in plugin.jobs(workflow))
    try:
        there = partitions.read()
        asked = [each.smaller(**limits.capped(each.resources, there)) for each in asked]
        said = [text for each in asked if (text := checks.refused(each, read, there))]
        waiting = [text for each in asked if (text := checks.waits(each, there))]
    except UserError as error:
        sys.exit(f"{error}\nNothing was submitted.")
    if said:
        sys.exit("\n".join([*dict.fromkeys(said), "Nothing was submitted."]))
    for text in dict.fromkeys(waiting):
        print(f"warning: {text}", file=sys.stderr)


def needs_config_file(workflow: Any) -> bool:
    """Whether nobody has named a config yet."""
    return not (snakemake_internals.config_files(workflow) or snakemake_internals.is_handed_its_config(workflow))


def results_or_exit() -> str:
    """The folder of the results; exits with a message where it cannot be one."""
    try:
        return str(results_folder.of_environment())
    except UserError as error:
        sys.exit(str(error))


def matching(names: Iterable[str]) -> str:
    """A regular expression that matches these names and nothing else."""
    return "|".join(map(re.escape, names)) or r"(?!)"


def study_or_exit(workflow: Any, merged: Mapping[str, Any]) -> Study:
    """The study in Snakemake's `merged` config; its plan is printed once, by the main process.

    Exits with a line a mistake where the config is wrong. Snakemake's own reading of the files loses duplicate keys, so
    they are read again, strictly; and its reading of `--config` loses the types of what is nested. A file of the user's
    is looked for beside the config files, the last one first, unless `--config` names it.
    """
    paths = [_relative(path) for path in snakemake_internals.config_files(workflow)]
    written = snakemake_internals.overrides(workflow, merged)
    source = " + ".join([*map(str, paths), *["--config"] * bool(written)]) or "the module's config"
    try:
        for path in paths:
            configfile.read(path)
        refuse_large(merged, source)
        overrides = configfile.typed(written)
        here = configfile.located(merged, [path.parent for path in reversed(paths)])
        study = config.load(configfile.merged(here, overrides), source)
    except UserError as error:
        sys.exit(str(error))
    if snakemake_internals.is_main_process(workflow):
        if not snakemake_internals.jobs_run_in_an_image(workflow):  # which has packages of its own
            _try_or_exit(study)
        for line in forecast.told(study, results_folder.of_environment()):
            print(line, file=sys.stderr)
    return study


def _try_or_exit(study: Study) -> None:
    """Try the networks of the study before any job starts."""
    try:
        dry_runs.run(study, results_folder.of_environment())
    except UserError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)  # else Snakemake shows where it was


def planned(study: Study) -> list[Chunk]:
    """All jobs of the study."""
    return all_chunks(study, cost.seeds_per_job)


def own_files(study: Study) -> list[str]:
    """The files that hold results of the user's own; none where the study trains."""
    if study.trained_here:
        return []
    from bnbench.own_results import files as results  # noqa: PLC0415 - pandas, which no other study needs here

    entry = study.config["results"]
    return [str(path) for path in results.used(entry["path"], entry["pattern"])]


def on_cuda(study: Study) -> str:
    """A regular expression that matches the settings that train on a GPU."""
    return matching(each.address for each in study.settings if each.spec.get("device") == "cuda")


def setting_or_exit(settings: Mapping[str, Setting], wildcards: Any) -> Setting:
    """The setting of a job; exits where the study has none of that address.

    A job on a cluster reads the config again, and the files that it names.
    """
    if wildcards.setting in settings:
        return settings[wildcards.setting]
    sys.exit(
        f"{wildcards.setting}: the study has no such setting; if the config or a file that it names has changed since "
        "the run was planned, give the same command again"
    )


def hand_over(workflow: Any, study: Study) -> str:
    """The file from which jobs read the study; the main process writes it, and tells jobs of itself.

    Where it cannot be written, Snakemake cannot work either, but may still say what would run.
    """
    content = handed.text(study)
    if snakemake_internals.is_main_process(workflow):
        os.environ[_PACKAGE] = package_hash.digest()
        os.environ[_MARK] = results_folder.mark(results_folder.of_environment())
        with contextlib.suppress(UserError):
            handed.keep(content)
    return str(handed.path(content))


def _mark_results_or_exit(study: Study) -> None:
    """Exit with a message where the results of a job could not be written; else leave a mark in their folder."""
    results = results_folder.of_environment()
    chunks = planned(study) if study.trained_here else []
    finished = [chunk for chunk in chunks if is_there(chunk, results)]
    for chunk in finished:
        if progress.folder(chunk, results).exists():  # a job was killed at its very end
            progress.clear(chunk, results)
    if len(finished) == len(chunks):
        return  # what is read only may be of a folder that others write
    try:
        results_folder.check_writable(results)
        os.environ[_MARK] = results_folder.keep_mark(results)
    except UserError as error:
        sys.exit(str(error))


def package_of_planner() -> str:
    """The hash of the package by which the main process planned the run."""
    return os.environ.get(_PACKAGE, "")


def mark_of_planner() -> str:
    """The mark of the results folder that the main process saw; nothing if there was none."""
    return os.environ.get(_MARK, "")


def asked(setting: Setting, wildcards: Any, attempt: int) -> cost.Asked:
    """What the job of a chunk asks a cluster for, at its first `attempt` or a later one."""
    probe = probes.read(setting.address, results_folder.of_environment())
    return cost.asked(setting.spec, int(wildcards.last) - int(wildcards.first) + 1, attempt, probe)


def after_an_error(study: Study, workflow: Any) -> None:
    """Say which jobs of a run that failed are left, where their logs or the reasons are, and how to go on."""
    if not study.trained_here:
        print("To continue, give the same command again: finished results are kept.", file=sys.stderr)
        return
    left = [chunk for chunk in planned(study) if not is_there(chunk, results_folder.of_environment())]
    lines = [f"Training remains for {formats.count(len(left), 'job')}:"] if left else []
    logs = JobLogs(workflow)
    for chunk in left[:_NAMED]:
        log = Path("logs/train") / chunk.setting.address / f"{chunk.stem}.log"
        wildcards = (chunk.setting.address, str(chunk.first), str(chunk.last))
        where = logs.told(log, (requests.ON_CPU, requests.ON_CUDA), wildcards)
        lines.append(f"  {chunk.setting.address}, seeds {chunk.first} to {chunk.last}{where}")
    if len(left) > _NAMED:
        lines.append(f"  and {len(left) - _NAMED} more")
    lines += [
        "To continue, give the same command again: finished results are kept, and training resumes.",
        "`make rebuild` reports what is there meanwhile.",
    ]
    print("\n".join(lines), file=sys.stderr)


def said(study: Study) -> dict[str, str]:
    """The words of a study's captions, as reStructuredText."""
    return {name: templating.rst(text) for name, text in captions.facts(study).items()}


def check_or_exit(path: str) -> str:
    """`path`, if it is a config file that can be read; else exit with one message."""
    try:
        configfile.read(path)
    except UserError as error:
        sys.exit(str(error))
    return path


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
