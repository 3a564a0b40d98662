"""Before the run: what a study would cost, and what it could see. Reads at most earlier trials' timings and losses.

The Snakefile asks for the warning whenever it is read, so what takes long to import is imported where it is needed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from bnbench import work
from bnbench.catalogue import userfiles
from bnbench.plan import cost, user_files
from bnbench.plan.chunks import all_chunks
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.store import derived, reuse, timings
from bnbench.store.chunk_files import is_there
from bnbench.vocabulary import BEST, POWER, SWING
from bnbench.wording import captions, clock, data, deciding, effects, folded, formats, own_results
from bnbench.wording.deciding import seeds_to_decide, warning
from bnbench.work import Job

_DEVICES = {"cpu": "CPU time", "cuda": "GPU time"}


def warnings(study: Study) -> list[str]:
    """A line for each column and class of the data that looks wrong, and for seeds that are too few."""
    return [*(f"warning: {said}" for said in data.warnings(study)), *filter(None, [warning(study)])]


def told(study: Study, results: Path) -> list[str]:
    """What is said when a run begins: what would be run, and what is odd about it."""
    plan, odd = f"{study.name}: {summary(study)}", warnings(study)
    if not study.trained_here:
        return [plan, *odd]
    to_run = sum(not is_there(chunk, results) for chunk in all_chunks(study, cost.seeds_per_job))
    anew = filter(None, [changed(study, results)])
    return [f"{plan}, {to_run} to run", *data.sentences(study), *folded.lines(study), *anew, *odd]


def changed(study: Study, results: Path) -> str:
    """One line if a file of the user's changed and the study therefore trains again; else nothing.

    It counts the trials of settings that differ only in the bytes of such files.
    """
    if not any(map(user_files.named, study.settings)):
        return ""
    paths: dict[str, None] = {}
    others: dict[str, Setting] = {}
    for setting in {job.setting.address: job.setting for job in work.jobs(study, results) if job.trials}.values():
        for other in reuse.of_same_slug(setting, results):
            if found := user_files.changed(setting, other):
                paths |= dict.fromkeys(found)
                others[other.address] = other
    trials = sum(reuse.seeds_there(other, results) for other in others.values())
    if not trials:
        return ""
    files, them = formats.listed([_with_imports(path) for path in paths]), "it" if len(paths) == 1 else "them"
    kept = f"{formats.count(trials, 'trial')} with other versions of {them} stay{'s' * (trials == 1)} in {results}"
    return f"{files} changed: training starts again; {kept}"


def _with_imports(path: str) -> str:
    """A user's file in messages, since the bytes of what it imports count as its own."""
    imports = path.endswith(".py") and len(userfiles.sources(path)) > 1
    return f"{path} (or a file that it imports)" if imports else path


def summary(study: Study) -> str:
    """The plan in one line."""
    if isinstance(study, OwnStudy):
        return deciding.judged(study)
    jobs = formats.count(len(all_chunks(study, cost.seeds_per_job)), "job")
    return f"{captions.summary(study)} in {jobs}"


def describe(study: Study, results: Path, cores: int = 1, reports: Path = Path("reports")) -> str:
    """What a study would train, how long that takes on `cores` cores, and the smallest effect that it is likely to see.

    One aligned line for each; then, where there is reason to, one about files that changed, and the warning.
    """
    if isinstance(study, OwnStudy):
        return _of_results(study, cores, reports)
    jobs = [*work.jobs(study, results)]
    found = work.estimates(jobs, results)
    clock_time = work.wall(study, work.timed(study, jobs, found), cores, reports)
    lines = {
        "study": f"{study.name}: {summary(study)}",
        **({"folded": "; ".join(said)} if (said := folded.lines(study)) else {}),
        **({"data": f"\n{'':<12}".join(of_data)} if (of_data := data.sentences(study)) else {}),
        "to train": _to_train(jobs, len(study.settings) * len(study.seeds)),
        **{
            _DEVICES[device]: f"about {formats.duration(sum(each.seconds))}, {each.how}"
            for device, each in sorted(found.items())
        },
        "wall time": clock.lasting(clock_time, len(jobs), cores),
        "family": _judged_as_one(study),
        "can decide": _can_decide(study),
        **_smallest_effect(study, [*_spreads(study, results)]),
    }
    text = "\n".join(f"{name:<12}{said}" for name, said in lines.items())
    return "\n".join(filter(None, [text, changed(study, results), *warnings(study)]))


def _of_results(study: OwnStudy, cores: int, reports: Path) -> str:
    """The same of results that are there already."""
    lines = {
        "study": f"{study.name}: {summary(study)}",
        "data": f"\n{'':<12}".join(own_results.reading(study)),
        "to train": "nothing: the results are there",
        "wall time": clock.lasting(work.wall(study, [], cores, reports), 0, cores),
        "family": _judged_as_one(study),
        "smallest p": deciding.smallest_p(study),
        **({"can decide": _can_decide(study)} if study.paired else {}),
        **(_smallest_effect(study) if study.paired else {}),
    }
    return "\n".join(filter(None, [*(f"{name:<12}{said}" for name, said in lines.items()), warning(study)]))


def _judged_as_one(study: Study) -> str:
    together = " together" * (deciding.tests(study) > 1)
    return f"{deciding.family(study)}, judged{together} at alpha {study.report.alpha:g}"


def _to_train(jobs: Sequence[Job], all_trials: int) -> str:
    trials = sum(job.trials for job in jobs)
    if not trials:
        return "nothing: every trial is there"
    there = f"; {all_trials - trials:,} there already" if trials < all_trials else ""
    at_work = formats.count(sum(job.trials > 0 for job in jobs), "job")
    return f"{trials:,} of {formats.count(all_trials, 'trial')}, in {at_work}{there}"


def _can_decide(study: Study) -> str:
    needed = seeds_to_decide(study.report.alpha)
    return f"a difference from {needed} seeds on; the study has {deciding.pairs(study):,}"


def _smallest_effect(study: Study, spreads: Sequence[tuple[float, int]] = ()) -> dict[str, str]:
    """In standard deviations of the paired log differences, and as a ratio where pairs show how large these are.

    Args:
        study: the study.
        spreads: see `_spreads`.
    """
    from bnbench.judging import power  # noqa: PLC0415 - a second of importing SciPy that the Snakefile does not need

    seeds, alpha, tests = deciding.pairs(study), study.report.alpha, deciding.tests(study)
    if seeds < seeds_to_decide(alpha):
        return {"can see": "nothing, however large it is"}
    effect = power.smallest_effect(seeds, alpha / tests, POWER)
    with_power = f"{formats.percent(POWER)} power at alpha {alpha:g}{f'/{tests}' * (tests > 1)}"
    kind = "log ratio" if study.outcome.is_ratio else "difference"
    said = {"can see": f"a mean {kind} of {effect:.2f} standard deviations, with {with_power}"}
    if spreads:
        spread = statistics.median(spread for spread, _ in spreads)
        pairs = sum(count for _, count in spreads)
        size = effects.amount(study.outcome, study.outcome.unscaled(min(effect * spread, 700.0)))  # more would overflow
        kind = "as a ratio" if study.outcome.is_ratio else "in its unit"
        said[kind] = f"{effects.compared(study.outcome)} {size} apart, at the spread of {pairs} pairs that are there"
    return said


def _spreads(study: Study, results: Path) -> Iterator[tuple[float, int]]:
    """Of each comparison with three pairs or more, the spread of the log ratios and how many there are."""
    for _, settings in study.contexts():
        finals = {arm: _finals(results / "trials", study, setting) for arm, setting in settings.items()}
        for baseline, treated in ((finals[one], finals[other]) for one, other in study.compared(settings)):
            ratios = [treated[seed] - baseline[seed] for seed in treated.keys() & baseline.keys()]
            if len(ratios) > 2:
                yield statistics.stdev(ratios), len(ratios)


def _finals(folder: Path, study: Study, setting: Setting) -> dict[int, float]:
    """Seed → final value of the trials of a setting on the scale of the outcome, where it is finite.

    Of an error the accuracy, whose differences spread alike; nothing where the table of trials does not tell.
    """
    import numpy as np  # noqa: PLC0415 - as above

    from bnbench.judging import stats  # noqa: PLC0415

    outcome = study.report.outcome
    if outcome in (BEST, SWING):  # which follow from the losses of all epochs, and those are too much to read here
        return {}
    names = derived.parts(outcome)
    found = timings.first_files(folder / setting.address, ["seed", *names])
    rows = {seed: values for _, _, some in found for seed, *values in some}
    values = np.array([[math.nan if value is None else value for value in row] for row in rows.values()])
    finals = values.reshape(-1, len(names)).T
    if setting.outcomes[names[0]].is_ratio:
        finals = np.stack(
            [stats.log_losses(own, setting.resolution(name)) for name, own in zip(names, finals, strict=True)]
        )
    final = (finals[0] - finals[1:].sum(0)).tolist()
    return {seed: value for seed, value in zip(rows, final, strict=True) if math.isfinite(value)}
