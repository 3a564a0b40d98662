"""The words that all rooms share: the factors, the outcomes, and what stands for them in tables.

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

SEED_VARIES = "seed_varies"
"""The factor that says which source of randomness differs from seed to seed; its levels are contexts, never arms."""

FIRST_FACTORS = ("task", "norm", "batch_size", "optimizer", "device")
"""Those of the first release: the readable part of an address and every result file name their levels."""

OF_SETTING = ("objective", "epochs", "evaluate_every", "dtype", "validation", "files")
"""Columns of what else than the levels of factors tells settings apart; each is the same in all rows of a setting."""

PRECISE = "test_loss_precise"
"""The test loss with the statistics of the whole training set; where no statistics are kept, it is the test loss."""

LOSSES = ("train_loss", "eval_loss", "test_loss", PRECISE)
VALIDATION, ACCURACY = "validation_loss", "test_accuracy"
"""Measured too where points are held out to choose by, and where the task is to classify; else null."""

GAP = "generalization_gap"
"""How much larger the logarithm of the test loss is than that of the train loss in evaluation mode: not stored."""

TARGET_VARIANCE, TARGET_SCALE = "target_variance", "target_scale"
"""Columns of a trial by which its squared test error is read on an absolute scale; null where they are unknown."""

ON_TEST_POINTS = ("test_loss", PRECISE, ACCURACY)
"""Outcomes that are means over the test points alone."""

MEASURED = (*LOSSES, VALIDATION, ACCURACY)

MAIN_EFFECT, DOUBLING = "main effect", "doubling"
"""In the table of interactions, what stands for the factor over all contexts, and for the levels of the batch size."""

SEVERAL = 3
"""Contexts from which on they are taken together too, and arms from which on each is compared with every other."""

POWER = 0.8
"""Power at which an effect counts as likely to be seen, and seeds as enough to see it."""
