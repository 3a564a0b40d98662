"""Names of columns of results: those of seeds, epochs and runs, and those that trackers record."""

from __future__ import annotations

import re

SEEDS = ("seed", "random_seed", "rng_seed", "seed_id", "random_state", "seed_everything", "trial_seed")
FOLDS = ("fold", "cv_fold", "fold_id", "split", "split_id")
EPOCHS = (
    *("epoch", "step", "global_step", "_step", "steps", "timestep", "timesteps", "total_timesteps", "env_step"),
    *("env_steps", "iteration", "iterations", "iter", "generation", "round", "episode", "episodes"),
)
RUNS = ("run", "run_id", "run_name", "name", "id", "_run", "experiment_id", "trial_id", "run_uuid")
ARMS = (
    *("arm", "treatment", "norm", "normalization", "normalisation", "norm_layer", "method", "algorithm", "algo"),
    *("variant", "condition", "agent", "group"),
)
"""Names that are looked for in this order, by `word`; arms among columns of text alone."""

MEASURES = ("metric", "metric_name", "variable", "measure", "measurement", "key", "tag")
VALUES = ("value", "metric_value", "values", "result")
"""The two columns of a table that has a row for each metric."""

_NOTED = frozenset(
    (
        *("_timestamp", "timestamp", "wall_time", "walltime", "created", "created_at", "date", "datetime", "started"),
        *("finished", "start_time", "end_time", "starttime", "endtime", "datetime_start", "datetime_complete"),
        *("time_this_iter_s", "heartbeat", "updated", "heartbeatat", "runtime", "_runtime", "state", "status"),
        *("notes", "tags", "sweep", "user", "username", "host", "hostname", "machine", "node", "node_ip", "worker"),
        *("git_commit", "commit", "gpu", "gpu_type", "gpu_count", "cpu_count", "pid", "artifact_uri", "logdir"),
        *("log_dir", "output_dir", "checkpoint", "ckpt_path"),
    )
)
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T _].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}([ ,].*)?|(\d+ days?,? )?\d+:\d{2}:\d{2}.*"
)


def word(name: str) -> str:
    """The last part of a column's name, as it is looked for: `seed` of `config/Seed`."""
    return re.split(r"[./]", name)[-1].strip().lower().replace("-", "_").replace(" ", "_")


def is_noted(name: str) -> bool:
    """Whether a tracker records it for every run, so that it is neither a factor nor an outcome."""
    return word(name) in _NOTED


def is_moment(text: str) -> bool:
    """Whether a text is a date, a time or a duration."""
    return _DATE.fullmatch(text.strip()) is not None
