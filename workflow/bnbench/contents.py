"""What a report holds: its tables and figures by name, in the order of the page.

Pure, and light to import: the rules name their files by it before anything is drawn.
"""

from bnbench.parameters import build
from bnbench.study import Study
from bnbench.tasks import TASKS

TABLES = {
    "contexts": "the verdict on each context, with its numbers",
    "pairs": "the final losses of both arms, seed by seed",
    "curves": "the losses over the epochs, with their bands",
    "modes": "the final losses in training mode, in evaluation mode and with precise statistics",
    "fit": "the fitted functions and their errors, with their bands",
    "reference": "where losses that were printed elsewhere lie among the seeds",
    "exclusions": "trials that are left out of the pairs or that diverged",
    "provenance": "what each setting's numbers come from",
}
"""Name of a table → what it holds."""


def figures(study: Study) -> dict[str, str]:
    """Name of each figure that the study has → its title."""
    shown = {
        "forest": "Ratios of the losses, context by context",
        "curves": "Loss over the epochs",
        "pairs": "Final losses, seed by seed",
        "modes": "The same networks in training mode, in evaluation mode and with precise statistics",
    }
    if len(study.contexts()) > 1:
        shown["heatmap"] = "Ratios of the losses over the grid"
    if any(build(TASKS, task).inputs() == 1 for task in study.config["task"]):
        shown["fit"] = "Fitted functions and their errors"
    return shown
