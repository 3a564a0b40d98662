"""The words that all rooms share: the factors, the outcomes, and their names in tables.

The schema of the config is read here, once: which keys are factors is said there and nowhere else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).parent

IMAGE = PACKAGE.parents[1] / "image.json"
"""What the build of an image writes down of it, beside the package; outside an image there is none."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # every job waits for it; this one is written in C

SCHEMA: dict[str, Any] = yaml.load(
    (PACKAGE / "schemas" / "study.schema.yaml").read_text(encoding="utf-8"),
    _LOADER,  # noqa: S506 - a safe one, whichever it is
)
"""The keys of a study, as JSON Schema with descriptions and defaults; see `plan.config` for what is our own in it."""

FACTORS = tuple(key for key, rule in SCHEMA["properties"].items() if rule.get("factor"))
"""Keys whose levels span the grid, in the order in which rows and columns have them."""

RESERVED: dict[str, str] = SCHEMA["properties"]["study"]["reserved"]
"""Names that no study may have, since its folder under `reports/` is another's → whose."""

SEED_VARIES = "seed_varies"
"""The factor that says which source of randomness differs from seed to seed; its levels are contexts, never arms."""

FIRST_FACTORS = ("task", "norm", "batch_size", "optimizer", "device")
"""Those of the first release: the readable part of an address and every result file name their levels."""

_TOLD = ("objective", "metrics", "epochs", "evaluate_every", "dtype", "validation", "files")

OF_SETTING = tuple(name for name in _TOLD if name not in FACTORS)
"""Columns of what else than the levels of factors tells settings apart; each is the same in all rows of a setting."""

PRECISE = "test_loss_precise"
"""The test loss with the statistics of the whole training set; where no statistics are kept, it is the test loss."""

LOSSES = ("train_loss", "eval_loss", "test_loss", PRECISE)
VALIDATION, BATCH = "validation_loss", "test_loss_batch"
"""The loss on points that are held out to choose by, where there are any; and the test loss with each test batch's own
statistics, in batches of the size that trains. Where the norm does not train by the batch, it is the test loss."""

ACCURACY, AUC, R2, MAE = "test_accuracy", "auc", "r2", "mae"
"""Scores on the test points: of classes, of two classes, and of numbers; else null."""

GAP, ERROR, BEST, SWING = "generalization_gap", "test_error", "best_test_loss", "swing"
"""Made of what is measured, and not stored.

How much larger the logarithm of the test loss is than that of the train loss in evaluation mode; 1 − the accuracy; the
test loss at the epoch of the lowest validation loss so far; and how much the log test loss changes from one measurement
to the next, as a root mean square over the window.
"""

COMPONENTS = ("weights", "stale averages", "total", "batch noise")
"""Of a difference of test losses: see `judging.exploratory.decomposition`."""

EPOCHS_TO_TARGET, SECONDS = "epochs_to_target", "seconds"
"""Outcomes that are made of a whole trial: how soon it reached the target, and how long it took."""

TARGET_VARIANCE, TARGET_SCALE = "target_variance", "target_scale"
"""Columns of a trial by which its squared test error is read on an absolute scale; null where they are unknown."""

ON_TEST_POINTS = ("test_loss", PRECISE, BATCH, BEST, ACCURACY, ERROR, MAE)
"""Outcomes that are means over the test points alone."""

MEASURED = (*LOSSES, BATCH, VALIDATION, ACCURACY, AUC, R2, MAE)
"""Columns of the table of losses; one for each of the user's own metrics follows."""

EXPLORED = (*LOSSES, BATCH, BEST, GAP, SWING, ACCURACY, AUC)
"""Outcomes shown with the one that decides; one that says the same in other units is shown only if it decides."""

CAN_DIVERGE = (*LOSSES, VALIDATION)
"""Those of them that are not finite where training diverged."""

MAIN_EFFECT, DOUBLING = "main effect", "doubling"
"""In the table of interactions, the names for the factor over all contexts, and for the levels of the batch size."""

SEVERAL = 3
"""Contexts from which on they are taken together too, and arms from which on each is compared with every other."""

POWER = 0.8
"""Power at which an effect counts as likely to be seen, and seeds as enough to see it."""
