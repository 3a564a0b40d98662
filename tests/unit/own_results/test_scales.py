"""What the name of an outcome says: which side is better, and on which scale runs are compared by it."""

import numpy as np
import own_tables as tables
import pytest

from bnbench.own_results import scales

UNIT = np.array([0.2, 0.9])


@pytest.mark.parametrize(
    "name",
    [
        *("loss", "val_loss", "valLoss", "val/loss", "summary.val_loss", "train_loss_epoch", "loss_G", "lr_loss"),
        *("test_err", "error_rate", "MSE", "mean_squared_error", "RMSE", "mae", "FID", "fid_score", "WER", "nll"),
        *("perplexity", "PPL", "cross_entropy_loss", "neg_log_likelihood", "brier_score", "time_elapsed", "latency"),
        *("mean_fit_time", "regret"),
    ],
)
def test_of_a_loss_lower_is_better(name):
    assert scales.named(name).better == "lower"


@pytest.mark.parametrize(
    "name",
    [
        *("acc", "valAcc", "val_accuracy", "test/acc@1", "acc5", "top-1", "top5_acc", "Top 1", "AUROC", "roc_auc"),
        *("F1", "f1_macro", "eval_return_mean", "episodic_return", "rollout/ep_rew_mean", "success_rate", "win_rate"),
        *("mAP", "mAP50", "mIoU", "IoU", "R2", "r^2", "BLEU4", "score", "mean_test_score", "inception_score"),
        *("log_likelihood", "loss_accuracy", "neg_mean_squared_error", "PSNR", "recall@10", "test_auc"),
    ],
)
def test_of_a_score_higher_is_better(name):
    assert scales.named(name).better == "higher"


@pytest.mark.parametrize(
    "name",
    [
        *("lr", "lr-Adam", "learning_rate", "optim.lr", "value", "episode_length", "time/fps", "time_step", "n_params"),
        *(
            "val_loss_std",
            "std_test_score",
            "rank_test_score",
            "loss_count",
            "acc_stderr",
            "loss_weight",
            "top_p_weight",
        ),
        *("reward_scale", "error_threshold", "label_smoothing", "remap", "placement", "x", "", "1"),
    ],
)
def test_of_what_is_no_outcome_no_side_is_known(name):
    assert scales.named(name).better is None
    assert scales.outcome(name, UNIT) is None


@pytest.mark.parametrize("name", ["val_loss_std", "rank_test_score", "acc_count"])
def test_what_is_made_of_an_outcome_was_measured_all_the_same(name):
    assert scales.named(name).says_something


@pytest.mark.parametrize("name", ["loss_weight", "reward_scale", "lr", "batch_size"])
def test_what_is_set_before_training_was_not_measured(name):
    assert not scales.named(name).says_something


@pytest.mark.parametrize(
    ("name", "values", "scale", "margin", "per_cent"),
    [
        ("val_loss", [0.1, 3.0], "ratio", 1.05, False),
        ("val_loss", [-0.1, 3.0], "difference", None, False),
        ("mean_squared_error", [0.1, 0.3], "ratio", 1.05, False),
        ("test_err", [0.1, 0.3], "difference", 0.01, True),
        ("test_err", [10, 30], "difference", 1.0, False),
        ("val_acc", [0.1, 0.3], "difference", 0.01, True),
        ("val_acc", [10, 30], "difference", 1.0, False),
        ("auc", [0.5, 0.9], "difference", 0.01, False),
        ("episodic_return", [-200, 900], "difference", None, False),
    ],
)
def test_an_outcome_is_compared_on_the_scale_of_its_name_and_its_values(name, values, scale, margin, per_cent):
    outcome = scales.outcome(name, np.array(values, float))
    assert (outcome.scale, outcome.margin, outcome.per_cent) == (scale, margin, per_cent)


def test_what_the_user_says_counts_more_than_the_name():
    outcome = scales.outcome("val_loss", UNIT, "higher", "difference")
    assert (outcome.lower_is_better, outcome.scale) == (False, "difference")
    assert scales.outcome("whatever", UNIT, "lower").lower_is_better


@pytest.mark.parametrize(("ended", "margin"), [([100, 300], 10), ([-3.9, -4.1], 0.2), ([0.0], 0.01), ([], 0.01)])
def test_a_margin_without_a_unit_is_a_twentieth_of_the_baseline(ended, margin):
    assert scales.small(np.array(ended, float)) == margin


def test_a_share_that_is_compared_by_ratios_has_no_percentage_points():
    outcome = scales.outcome("accuracy", UNIT, scale="ratio")
    assert (outcome.is_ratio, outcome.per_cent, outcome.margin) == (True, False, 1.05)


def test_a_margin_without_a_unit_is_small_in_every_context():
    returns = [1000.0 * (1 + 0.1 * seed) if game == "big" else 1.0 for game in ("big", "small") for seed in range(8)]
    columns = {
        "algo": ["dqn"] * 16 + ["new"] * 16,
        "game": (["big"] * 8 + ["small"] * 8) * 2,
        "seed": [*range(8)] * 4,
        "return": returns + [2 * each for each in returns],
    }
    (decides, *_) = tables.facts(columns, baseline="dqn", factor="algo")["outcomes"]
    assert decides["margin"] == 0.05
