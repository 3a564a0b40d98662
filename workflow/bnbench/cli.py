"""The command line: one verb a step of the road, called by the rules and by hand.

Whatever a user can mend ends in one message on standard error and exit status 2.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from bnbench import __version__, collect, dry_runs, extras, forecast, output, running, texts
from bnbench.errors import UserError
from bnbench.plan import config, configfile
from bnbench.plan.chunks import Chunk
from bnbench.plan.study import Study
from bnbench.store import handed, package_hash, results_folder, tables
from bnbench.vocabulary import SCHEMA
from bnbench.wording import clock, data

_PLANNED = "the study as it was planned: a file in .snakemake/bnbench, or - for the standard input"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status."""
    try:
        options = _parser().parse_args(arguments)
        if getattr(options, "results", options) is None:
            options.results = results_folder.of_environment()
        if warning := package_hash.difference(options.package):
            print(warning, file=sys.stderr)
        said = options.verb(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except running.Interrupted as end:
        return end.status
    except KeyboardInterrupt:
        return 130
    print(texts.shown(said))
    return _heard(options.step)


_JOBS = ("train", "collect", "compare", "plot", "report")
"""Verbs of the workflow's jobs. Their outcome is files: if no log could be written, they have done their work even so,
and to call it failed would have it done again."""


def _heard(step: str) -> int:
    """The exit status of a verb that went well, which depends on whether its words arrived."""
    error = output.lost()
    if error is None:
        return 0
    gone = isinstance(error, BrokenPipeError)  # as `head` goes when it has enough
    if not gone:
        print(f"standard output: cannot be written ({error.strerror})", file=sys.stderr)
    return 0 if step in _JOBS else 128 + signal.SIGPIPE if gone else 1


def _train(options: argparse.Namespace) -> str:
    if options.last < options.first:
        raise UserError(f"--last: found {options.last}, allowed: at least {options.first}, as --first says")
    extras.need("torch")
    planned = handed.read(options.study)
    setting = handed.setting(planned, options.setting, options.study)
    chunk = Chunk(setting, options.first, options.last - options.first + 1)
    from bnbench import train  # noqa: PLC0415 - two seconds of importing torch that no other verb needs

    return train.run(
        chunk,
        options.results,
        options.threads,
        plan=planned.get("plan"),
        gpu_share=options.gpu_share,
        mark=options.mark,
    )


def _check(options: argparse.Namespace) -> str:
    study = _study(options)
    dry_runs.run(study, options.results)
    said = [f"{study.name}: {forecast.summary(study)}", forecast.changed(study, options.results)]
    said += [f"warning: {each}" for each in data.warnings(study)]
    return "\n".join(filter(None, said))


def _plan(options: argparse.Namespace) -> str:
    study = _study(options)
    dry_runs.run(study, options.results)
    if busy := clock.busy(os.getloadavg()[0], options.cores):
        print(busy, file=sys.stderr)
    return forecast.describe(study, options.results, options.cores, options.reports)


def _run(options: argparse.Namespace) -> str:
    extras.need("snakemake")
    study = _study(options)
    dry_runs.run(study, options.results)
    arguments = ["--configfile", str(options.configfile), *(["--config", *options.config] if options.config else [])]
    if options.verbose:
        running.loudly(arguments, options.results, options.cores)
        return _answer(options)
    warnings = running.run(study, arguments, options.results, options.reports, options.cores)
    warnings += running.afterwards(_folder(options))
    return "\n".join([*dict.fromkeys(warnings), _answer(options)])


def _doctor(options: argparse.Namespace) -> str:
    extras.need("snakemake")
    from bnbench.cluster import doctor  # noqa: PLC0415 - Snakemake's plugin

    return doctor.run(_study(options), options.results, options.profile, partial(print, flush=True), options.wait)


def _probe(options: argparse.Namespace) -> str:
    extras.need("torch")
    from bnbench import probe  # noqa: PLC0415 - it imports torch

    study = _study(options)
    with _silence():  # what the user's code prints is not part of a message
        return probe.run(study, options.results)


@contextmanager
def _silence() -> Iterator[None]:
    """Lose what is printed, in whatever script."""
    nowhere = Path(os.devnull).open("w", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed below
    with nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _describe(options: argparse.Namespace) -> str:
    extras.need("torch")
    from bnbench.trainer import own_data  # noqa: PLC0415 - it imports torch

    with _silence():
        return json.dumps(own_data.facts(handed.read(options.task)).to_json())


def _collect(options: argparse.Namespace) -> str:
    return collect.run(_study(options), options.results, _folder(options) / "data")


def _compare(options: argparse.Namespace) -> str:
    from bnbench import compare  # noqa: PLC0415 - the trainer's jobs start without SciPy's and Matplotlib's imports

    compare.run(_study(options), _folder(options) / "data", _folder(options))
    return f"{_folder(options)}/verdicts.json"


def _plot(options: argparse.Namespace) -> str:
    from bnbench import plot  # noqa: PLC0415

    plot.run(_study(options), _folder(options))
    return f"{_folder(options)}/figures"


def _page(options: argparse.Namespace) -> str:
    from bnbench import report  # noqa: PLC0415

    report.run(_study(options), _folder(options))
    return _answer(options)


def _report(options: argparse.Namespace) -> str:
    answer = _page(options)
    _renew_index(options)
    return answer


def _rebuild(options: argparse.Namespace) -> str:
    from bnbench import plot  # noqa: PLC0415

    study = _study(options)  # report a mistake in the config at once
    plot.prepare()
    steps = {"collect": _collect, "compare": _compare, "plot": _plot, "report": _page}
    said = running.here(study, {name: partial(step, options) for name, step in steps.items()})
    _renew_index(options)
    return f"{said[0]}\n{said[-1]}"


def _answer(options: argparse.Namespace) -> str:
    folder = _folder(options)
    return f"{folder}/index.html\n{tables.read_json(folder / 'verdicts.json')['sentence']}"


def _judge(options: argparse.Namespace) -> str:
    from bnbench import judgement  # noqa: PLC0415 - pandas

    keys = ("factor", "baseline", "outcome", "seed", "epoch", "better", "scale", "duplicates", "empty", "unpaired")
    results = {key: getattr(options, key) for key in keys} | {"contexts": options.context}
    report = {key: getattr(options, key) for key in ("margin", "window", "alpha")}
    study = judgement.study_of(options.path, options.pattern, results, report, options.name)
    if options.dry_run:
        return "\n".join(judgement.reading(study))
    folder = options.reports / study.name
    answer = judgement.judged(study, folder, say=lambda said: print("\n".join(said), file=sys.stderr))
    _renew_index(options)
    return f"{folder}/index.html\n{answer}"


def _claims(options: argparse.Namespace) -> str:
    from bnbench.page import claims_page  # noqa: PLC0415

    studies = [(file, config.load(_read(file), str(file))) for file in options.studies]
    page = claims_page.run(studies, options.reports)
    _renew_index(options)
    return str(page)


def _index(options: argparse.Namespace) -> str:
    from bnbench.page import index_page  # noqa: PLC0415 - Jinja, as the page of a study has it

    return index_page.run(options.reports)


def _renew_index(options: argparse.Namespace) -> None:
    """List the report that was written; what is wrong with the list is no fault of the report."""
    from bnbench.page import index_page  # noqa: PLC0415

    if warning := index_page.renew(options.reports):
        print(warning, file=sys.stderr)


def _study(options: argparse.Namespace) -> Study:
    if options.study:
        return handed.study(handed.read(options.study), options.study)
    overrides = configfile.parse_overrides(options.config)
    source = f"{options.configfile} + --config" if overrides else str(options.configfile)
    return config.load(configfile.merged(_read(options.configfile), overrides), source)


def _read(path: Path) -> dict[str, Any]:
    """A config file, with the files that it names as seen from here."""
    return configfile.located(configfile.read(path), [path.parent])


def _folder(options: argparse.Namespace) -> Path:
    folder: Path = options.reports / _study(options).name
    return folder


def _whole_number(least: int) -> Callable[[str], int]:
    """A type of argument: whole numbers from `least` on."""

    def whole_number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"found {text}, allowed: at least {least}")
        return int(text)

    return whole_number


def _cores(text: str) -> int:
    """A type of argument: a number of cores, or `all`."""
    return len(os.sched_getaffinity(0)) if text == "all" else _whole_number(1)(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bnbench", description="The steps of a study; Snakemake calls them in order.")
    parser.add_argument("--version", action="version", version=f"bnbench {__version__}")
    parser.add_argument("--package", default="", metavar="HASH", help="of the package that planned the run")
    verbs = parser.add_subparsers(title="steps", required=True, metavar="STEP", dest="step")
    train = verbs.add_parser("train", help="train one chunk of seeds of one setting")
    train.set_defaults(verb=_train)
    train.add_argument("--study", required=True, type=Path, metavar="FILE", help=_PLANNED)
    train.add_argument("--setting", required=True, metavar="ADDRESS", help="which of its settings")
    train.add_argument("--first", required=True, type=_whole_number(0), help="first seed")
    train.add_argument("--last", required=True, type=_whole_number(0), help="last seed")
    train.add_argument("--threads", default=1, type=_whole_number(1), help="threads of torch (default 1)")
    train.add_argument(
        "--gpu-share", default=1, type=_whole_number(1), help="how many jobs share a GPU (default 1: each has its own)"
    )
    _add_results(train)
    train.add_argument("--mark", default="", help="of the folder of the tables, as the planning process saw it")
    claims = verbs.add_parser("claims", help="render the page of the claims of several finished studies")
    claims.set_defaults(verb=_claims)
    claims.add_argument("studies", nargs="+", type=Path, metavar="STUDY", help="files of studies")
    claims.add_argument("--reports", default=Path("reports"), type=Path, help="the reports (default reports)")
    index = verbs.add_parser("index", help="list all studies in reports/index.html")
    index.set_defaults(verb=_index)
    index.add_argument("--reports", default=Path("reports"), type=Path, help="the reports (default reports)")
    _add_judge(verbs)
    steps: dict[str, tuple[Callable[[argparse.Namespace], str], str]] = {
        "check": (_check, "say what a study would train, or what is wrong with its config"),
        "probe": (_probe, "try the networks on two examples, and measure their time and memory"),
        "plan": (_plan, "say what a study would cost and what it could detect"),
        "doctor": (_doctor, "examine a SLURM cluster before the first job is submitted"),
        "run": (_run, "train what is missing of a study, and render its report"),
        "collect": (_collect, "gather a study's chunks into three tables"),
        "compare": (_compare, "pair the trials by seed and judge them"),
        "plot": (_plot, "draw the figures"),
        "report": (_report, "render the page"),
        "rebuild": (_rebuild, "collect, compare, plot and report all results so far, without training"),
        "answer": (_answer, "print the path of the report and its answer"),
    }
    for name, (step, help_text) in steps.items():
        verb: Any = verbs.add_parser(name, help=help_text)
        verb.set_defaults(verb=step)
        if name not in ("run", "doctor"):
            verb.add_argument("--study", type=Path, metavar="FILE", help=_PLANNED)
        verb.add_argument(
            "--configfile", default=Path("config.yaml"), type=Path, help="the study (default config.yaml)"
        )
        verb.add_argument("--config", default=[], nargs="+", metavar="KEY=VALUE", help="change top-level keys of it")
        _add_results(verb)
        if name not in ("run", "doctor"):
            verb.add_argument("--reports", default=Path("reports"), type=Path, help="the reports (default reports)")
        if name in ("plan", "run"):
            verb.add_argument("--cores", default="all", type=_cores, metavar="N", help="how many to use (default all)")
    doctor = verbs.choices["doctor"]
    doctor.add_argument(
        "--profile", default=Path("workflow/profiles/slurm"), type=Path, help="the profile, by its folder or file"
    )
    doctor.add_argument(
        "--wait",
        default=120,
        type=_whole_number(0),
        metavar="SECONDS",
        help="how long a job that looks at a node may wait in the queue (default 120; 0: submit none)",
    )
    run = verbs.choices["run"]
    for verb in (run, doctor):
        verb.set_defaults(study=None, reports=Path("reports"))
    run.add_argument("--verbose", action="store_true", help="show Snakemake's own output")
    describe = verbs.add_parser("describe", help="say what data your own function returns")
    describe.set_defaults(verb=_describe)
    describe.add_argument(
        "--task", required=True, type=Path, metavar="FILE", help="the resolved entry of the task, as JSON"
    )
    return parser


def _add_results(verb: argparse.ArgumentParser) -> None:
    where = f"folder of the tables (default: {results_folder.VARIABLE}, or {results_folder.DEFAULT})"
    verb.add_argument(
        "--results", type=partial(results_folder.named, source="--results: "), metavar="FOLDER", help=where
    )


def _add_judge(verbs: Any) -> None:
    """The verb `judge` with its options, which are keys of `results` and `report` in a config."""
    judge = verbs.add_parser("judge", help="judge your own results: a table with a row per run, or per run and epoch")
    judge.set_defaults(verb=_judge)
    judge.add_argument("path", nargs="?", default=".", help="a CSV, Parquet or JSON lines file, or a folder of runs")
    keys = SCHEMA["properties"]["results"]["properties"]

    def said(key: str) -> str:
        return str(keys[key]["description"]).replace("null takes", "without it,").replace("null goes", "without it,")

    for key in ("pattern", "factor", "baseline", "outcome", "seed", "epoch"):
        judge.add_argument(f"--{key}", help=said(key))
    judge.add_argument("--context", type=_names, metavar="A,B", help=said("contexts"))
    for key in ("better", "scale", "duplicates", "empty"):
        judge.add_argument(f"--{key}", choices=[each for each in keys[key]["enum"] if each], help=said(key))
    judge.add_argument("--unpaired", action="store_true", help=said("unpaired"))
    judge.add_argument("--margin", type=float, help="an effect that is too small to matter: a ratio, or a difference")
    for key in ("window", "alpha"):
        judge.add_argument(
            f"--{key}", type=float, help=SCHEMA["properties"]["report"]["properties"][key]["description"]
        )
    judge.add_argument("--name", help="of the study, and of its folder; by default, that of the file")
    judge.add_argument("--reports", default=Path("reports"), type=Path, help="the reports (default reports)")
    judge.add_argument("--dry-run", action="store_true", help="show how the columns would be read, and judge nothing")


def _names(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]
