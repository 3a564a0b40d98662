"""The figures of a report by name, in the order of the page, and the tables that they draw.

Pure, and light to import: the rules name their files by it before anything is drawn.
"""

from typing import Any

from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS, counted_classes
from bnbench.plan.study import Study
from bnbench.store.schemas import TABLES, description
from bnbench.vocabulary import ACCURACY, ERROR, SEVERAL
from bnbench.wording import effects, formats, own_columns, titles, words

SOURCES = {
    "forest": "contexts",
    "curves": "curves",
    "differences": "differences",
    "decomposition": "decomposition",
    "interactions": "interactions",
    "profile": "profile",
    "ranks": "ranks",
    "batch_sizes": "contexts",
    "pairs": "pairs",
    "modes": "modes",
    "accuracy": "curves",
    "confusion": "confusion",
    "heatmap": "contexts",
    "fit": "fit",
    "rates": "rates",
}
"""Name of a figure → the table that it draws."""


ALL_COMPARISONS = ("forest", "interactions")
"""Figures that show the named pairs too; the others show what is compared with the baseline."""


def drawn(study: Study, name: str, table: Any) -> Any:
    """The rows of its table, a frame of pandas, that the figure `name` shows."""
    if name == "accuracy":
        table = table[table["outcome"] == ACCURACY]
    if name == "fit":
        return _fitted(study, table)
    if name in ALL_COMPARISONS or "baseline" not in table:
        return table
    baselines = {study.report.baseline, study.tuned_arms[0]}  # the second is that of arms that are tuned themselves
    return table[table["baseline"].isin(baselines)]


FITS = 24
"""Panels of fitted functions, at most: of more nobody reads each."""


def fits(study: Study) -> tuple[int, int]:
    """How many contexts the figure of fitted functions shows, and of how many."""
    if not study.trained_here:
        return 0, 0
    curves = {label for label, level in study.levels["task"].items() if build(TASKS, level.entry).is_curve()}
    fitted = sum(labels.get("task", "") in {"", *curves} for labels, _ in study.contexts())
    return min(fitted, max(1, FITS // _panels(study))), fitted


def _fitted(study: Study, table: Any) -> Any:
    """The rows of some contexts, evenly chosen from the grid, where there are too many for one figure."""
    held = [factor for factor in study.factors if factor in table and factor != study.report.factor]
    known = table[held].drop_duplicates()
    shown, count = fits(study)[0], len(known)
    if count <= shown:
        return table
    places = sorted({round(place * (count - 1) / max(1, shown - 1)) for place in range(shown)})
    return table.merge(known.iloc[places], on=held)


def _panels(study: Study) -> int:
    """Panels of one context."""
    return len(study.arms) - 1 if len(study.arms) > SEVERAL else 1


_OF_TRAINING = ("variance", "fit", "reference", "tuned", "rates", "absolute", "provenance")
"""Tables that have no rows where nothing is trained here, or that nothing is known for."""

_OF_COURSE = ("curves", "differences", "stretches", "drift", "convergence")
"""Tables of runs that were measured at several epochs."""

_OF_CLASSES = ("confusion",)
"""Tables that have rows only where the predictions of classes are counted."""

_OF_STATISTICS = ("decomposition", "modes")
"""Tables that have rows only where an arm keeps running statistics."""


def _many_contexts(study: Study) -> bool:
    """Whether there are contexts enough to be taken together."""
    return study.most_contexts >= SEVERAL


def _many_arms(study: Study) -> bool:
    """Whether there are more pairs of arms than one."""
    return len(study.arms) >= SEVERAL


def tables(study: Study) -> dict[str, str]:
    """Name of each table that the study has → what it holds."""
    left_out: tuple[str, ...] = () if study.keeps_statistics else _OF_STATISTICS
    left_out += () if _many_contexts(study) else ("aggregate", "profile")
    left_out += () if _many_arms(study) else ("ranks", "all_pairs")
    left_out += () if counts_classes(study) else _OF_CLASSES
    left_out += () if study.trained_here else _unknown(study)
    return {
        name: own_columns.table(study, description(table)) for name, table in TABLES.items() if name not in left_out
    }


def counts_classes(study: Study) -> bool:
    """Whether the predicted class of every point is stored for a task of the study."""
    return study.trained_here and any(counted_classes(build(TASKS, task)) for task in study.config["task"])


def classifies(study: Study) -> bool:
    """Whether a task of the study has an accuracy."""
    return study.trained_here and any(build(TASKS, task).classifies() for task in study.config["task"])


def _unknown(study: Study) -> tuple[str, ...]:
    """Tables that have no rows of runs of which nothing is known but their results."""
    course: tuple[str, ...] = () if study.has_course else _OF_COURSE
    course += () if len(study.outcomes) > 1 else ("finals",)
    depends = () if study.most_contexts > 1 else ("interactions",)
    claims = () if study.config["claims"] else ("claims",)
    return (*_OF_TRAINING, *course, *depends, *claims)


def figures(study: Study) -> dict[str, str]:
    """Name of each figure that the study has → its title."""
    several, compared, epochs = study.most_contexts > 1, effects.compared(study.outcome), words.of(study).epochs
    shown = {"forest": "Effects, context by context"}
    if study.config["tune"]:
        shown["rates"] = f"The effect as a function of the {titles.tuned(study)}"
    if several:
        shown["heatmap"] = "Effects over the grid"
        shown["interactions"] = "How the effect depends on the context"
    if _many_contexts(study):
        shown["profile"] = "The share of the pairs that reach each effect"
    if _many_arms(study):
        shown["ranks"] = "Mean ranks of the arms, and which cannot be distinguished"
    if study.trained_here and len(study.levels["batch_size"]) > 1 and study.report.factor != "batch_size":
        shown["batch_sizes"] = "Effect by batch size"
    if study.has_course:
        shown["curves"] = f"{formats.beginning(compared)} over the {epochs}"
        if study.paired:
            shown["differences"] = f"Effect over the {epochs}"
    shown["pairs"] = f"Final {compared}, {'seed by seed' if study.paired else 'run by run'}"
    if study.keeps_statistics:
        shown["decomposition"] = "Where the difference comes from"
        shown["modes"] = "The same networks in training mode, in evaluation mode and with precise statistics"
    if study.trained_here and any(build(TASKS, task).is_curve() for task in study.config["task"]):
        shown["fit"] = "Fitted functions and their errors"
    if classifies(study) and study.report.outcome not in (ACCURACY, ERROR):  # else they are the curves
        shown["accuracy"] = "Test accuracy over the epochs"
    if counts_classes(study):
        shown["confusion"] = "Which classes are confused"
    return shown


_OF_PANELS = ("curves", "differences", "batch_sizes", "pairs", "decomposition", "modes", "fit", "rates", "accuracy")
"""Figures with a panel for each context, or for each context and arm where there are more than three arms."""

_MOST_PANELS = 32
"""More take too long to draw twice; on a telephone such a figure is wider than the screen, and scrolls."""


def narrow(study: Study) -> set[str]:
    """The figures that have a variant for telephones, as SVG alone, in which panels and labels are below each other.

    The variant of `<name>.svg` is the file `<name>-narrow.svg`.
    """
    panels = len(study.contexts()) * _panels(study)
    return {name for name in figures(study) if name not in _OF_PANELS or panels <= _MOST_PANELS}


def narrow_name(name: str) -> str:
    """The name of the file of the narrow variant of a figure."""
    return f"{name}-narrow"
