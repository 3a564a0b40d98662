"""Tables that others have published, through the judge: it gives the numbers that they print."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from statsmodels.stats.multitest import multipletests

import bnbench

pytestmark = pytest.mark.filterwarnings("error")

SLEEP = {
    "1": [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    "2": [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
}
"""Additional hours of sleep of ten patients under two drugs: Student (1908), "The probable error of a mean", as R has
them in its data set `sleep`."""

AUC = pd.DataFrame(
    [
        ("adult (sample)", 0.763, 0.768, 0.771, 0.798),
        ("breast cancer", 0.599, 0.591, 0.590, 0.569),
        ("breast cancer wisconsin", 0.954, 0.971, 0.968, 0.967),
        ("cmc", 0.628, 0.661, 0.654, 0.657),
        ("ionosphere", 0.882, 0.888, 0.886, 0.898),
        ("iris", 0.936, 0.931, 0.916, 0.931),
        ("liver disorders", 0.661, 0.668, 0.609, 0.685),
        ("lung cancer", 0.583, 0.583, 0.563, 0.625),
        ("lymphography", 0.775, 0.838, 0.866, 0.875),
        ("mushroom", 1.000, 1.000, 1.000, 1.000),
        ("primary tumor", 0.940, 0.962, 0.965, 0.962),
        ("rheum", 0.619, 0.666, 0.614, 0.669),
        ("voting", 0.972, 0.981, 0.975, 0.975),
        ("wine", 0.957, 0.978, 0.946, 0.970),
    ],
    columns=["dataset", "C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"],
)
"""AUC of four variants of C4.5: table 6 of Demšar (2006), "Statistical comparisons of classifiers over multiple data
sets", Journal of Machine Learning Research 7."""

GAMES = {
    "Alien": (227.8, 7127.7, [368.7, 452.5, 437.2, 331.7, 510]),
    "Amidar": (5.8, 1719.5, [196.0, 126, 164.9, 162.9, 65.1]),
    "Assault": (222.4, 742.0, [1481.3, 928.1, 1121.8, 1556.0, 2534.8]),
    "Asterix": (210.0, 8503.3, [762.5, 1114, 1082, 716.5, 593]),
    "BankHeist": (14.2, 753.1, [42.2, 48.8, 68.4, 46.4, 59.6]),
    "BattleZone": (2360.0, 37187.5, [16990, 14570, 11300, 10070, 12440]),
    "Boxing": (0.1, 12.1, [86.2, 49.3, 55.8, 83.5, 75.5]),
    "Breakout": (1.7, 30.5, [104.6, 85.6, 69.7, 70.3, 88.1]),
    "ChopperCommand": (811.0, 7387.8, [1150, 1276, 1659, 2162, 1578]),
    "CrazyClimber": (10780.5, 35829.4, [64101, 66127, 62740, 77066, 26587]),
    "DemonAttack": (152.1, 1971.0, [905, 2011.9, 2888.5, 2613.4, 1753]),
    "Freeway": (0.0, 29.6, [30.9, 31.5, 30.5, 30.8, 31.6]),
    "Frostbite": (65.2, 4334.7, [274.3, 250.0, 295, 250, 226.3]),
    "Gopher": (257.6, 2412.5, [2987.2, 2476.8, 3110.4, 1171.4, 1434.8]),
    "Hero": (1027.0, 30826.4, [6916.2, 6933.9, 6740.6, 7881.6, 6714.7]),
    "Jamesbond": (29.0, 302.8, [487.5, 394, 486, 464, 482]),
    "Kangaroo": (52.0, 3035.0, [2249, 732, 750, 90, 370]),
    "Krull": (1598.0, 2665.5, [6047.4, 7364.8, 4980.6, 6006.3, 8683]),
    "KungFuMaster": (258.5, 22736.3, [7301, 15949, 34406, 14372, 36771]),
    "MsPacman": (307.3, 6951.6, [1251.6, 941.5, 590.3, 770.8, 1441.1]),
    "Pong": (-20.7, 14.6, [19.3, 18.5, 16.6, 6.2, 12.4]),
    "PrivateEye": (24.9, 69571.3, [100, 100, 100, 100, 100]),
    "Qbert": (163.9, 13455.0, [853, 575, 790.2, 1027.2, 483.2]),
    "RoadRunner": (11.5, 7845.0, [11355, 2033, 17106, 7614, 9965]),
    "Seaquest": (68.4, 42054.7, [752.2, 855.8, 691, 386, 621.6]),
    "UpNDown": (533.4, 11693.2, [3793, 5367.5, 2943.7, 3637.9, 1988.9]),
}
"""Atari 100k: a random player's score, a human's, and those of five runs of IRIS, of Micheli, Alonso & Fleuret (2023),
"Transformers are sample-efficient world models", as github.com/eloialonso/iris keeps them (results/data)."""


def long(frame, names, value, level):
    """A frame with a column per arm as one with a row per run."""
    return frame.melt(names, var_name=level, value_name=value)


def sleep():
    return long(pd.DataFrame(SLEEP).assign(patient=range(1, 11)), ["patient"], "extra", "drug")


def test_students_sleep_has_the_numbers_that_r_documents():
    """R's `t.test(extra ~ group, data = sleep, paired = TRUE)` and, of signed ranks, SciPy."""
    report = bnbench.judge(sleep(), "drug", 2, "extra", seed="patient", better="higher")
    (row,) = report.verdicts.to_dict("records")
    assert row["pairs"] == 10
    assert row["effect"] == pytest.approx(-1.58, abs=1e-12)
    assert (row["own_low"], row["own_high"]) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)
    assert row["baseline_value"] == pytest.approx(2.33)
    assert row["treatment_value"] == pytest.approx(0.75)
    difference = np.subtract(SLEEP["1"], SLEEP["2"])
    t = row["effect"] / (difference.std(ddof=1) / np.sqrt(10))
    assert t == pytest.approx(-4.0621, abs=5e-5)
    assert row["verdict"] == "hurts"
    assert row["p"] == pytest.approx(sign_flips(difference), abs=1e-12)


def test_students_sleep_without_pairs_has_the_numbers_that_r_documents():
    """R's `t.test(extra ~ group, data = sleep)`: t = −1.8608, 17.776 degrees of freedom, p = 0.07939."""
    report = bnbench.judge(sleep(), "drug", 2, "extra", seed="patient", better="higher", unpaired=True)
    (row,) = report.verdicts.to_dict("records")
    assert (row["runs_baseline"], row["runs_treatment"]) == (10, 10)
    assert row["effect"] == pytest.approx(-1.58, abs=1e-12)
    assert (row["own_low"], row["own_high"]) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)
    assert row["verdict"] == "undecided"
    exact = permuted(SLEEP["1"], SLEEP["2"])  # of 184,756 choices, of which the judge draws 20,000
    assert row["p"] == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def permuted(one, other):
    """The two-sided p of equal means, over all choices of one group out of both, by Welch's t."""

    def t(x, y, axis):
        return np.abs(stats.ttest_ind(x, y, axis=axis, equal_var=False).statistic)

    test = stats.permutation_test((one, other), t, n_resamples=np.inf, alternative="greater", vectorized=True)
    return test.pvalue


def sign_flips(difference):
    """The two-sided p of a mean of 0, over all flips of the signs."""
    test = stats.permutation_test(
        (difference,), lambda x, axis: x.mean(axis), permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    return test.pvalue


@pytest.fixture(scope="module")
def demsar():
    return bnbench.judge(long(AUC, ["dataset"], "auc", "tree"), "tree", "C4.5", "auc", seed="dataset")


def test_demsars_trees_have_the_mean_ranks_of_his_table(demsar):
    ranks = demsar.table("ranks").set_index("arm")["mean_rank"]
    printed = {"C4.5": 3.143, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    # Table 6 has ranks 2 and 3 of voting where both AUCs are printed as 0.975: here they share 2.5.
    tied = {"C4.5+cf": 0.5 / 14, "C4.5+m+cf": -0.5 / 14}
    for arm, rank in printed.items():
        assert ranks[arm] == pytest.approx(rank + tied.get(arm, 0.0), abs=5e-4)


def test_demsars_trees_have_his_friedman_statistics(demsar):
    """His statistics are of the mean ranks as printed, which differ by the tie that he broke."""
    ranks = demsar.table("ranks").set_index("arm")["mean_rank"]
    tied = pd.Series({"C4.5": 0.0, "C4.5+m": 0.0, "C4.5+cf": -0.5 / 14, "C4.5+m+cf": 0.5 / 14})
    chi_square = 12 * 14 / (4 * 5) * (((ranks + tied) ** 2).sum() - 4 * 5**2 / 4)
    assert chi_square == pytest.approx(9.28, abs=5e-3)
    assert 13 * chi_square / (14 * 3 - chi_square) == pytest.approx(3.69, abs=5e-3)


def test_demsars_wilcoxon_test_rejects_as_his_does(demsar):
    """His table 2 compares the first two columns: the sums of ranks are 93 and 12, and 21 or less is significant."""
    rows = demsar.verdicts.set_index("treatment")
    difference = (AUC["C4.5+m"] - AUC["C4.5"]).round(3)
    ranks = stats.rankdata(difference.abs())
    of_ties = ranks[difference == 0].sum() / 2  # which he splits between the two
    assert ranks[difference > 0].sum() + of_ties == 93
    assert ranks[difference < 0].sum() + of_ties == 12
    assert rows["p_wilcoxon"]["C4.5+m"] < 0.05
    assert rows["effect"]["C4.5+m"] == pytest.approx(difference.mean(), abs=1e-12)
    assert rows["win_rate"]["C4.5+m"] == pytest.approx(11 / 14)


@pytest.fixture(scope="module")
def atari():
    """Human-normalized scores; a random player's is 0 by its definition."""
    rows = [
        {"game": game, "run": f"{run}", "agent": agent, "score": score}
        for game, (random, human, scores) in GAMES.items()
        for run, raw in enumerate(scores)
        for agent, score in (("random", 0.0), ("IRIS", (raw - random) / (human - random)))
    ]
    frame = pd.DataFrame(rows)
    return frame, bnbench.judge(frame, "agent", "random", "score", seed="run", contexts=["game"])


def test_atari_100k_has_the_mean_of_its_paper_and_the_iqm_of_rliable(atari):
    frame, report = atari
    scores = frame[frame["agent"] == "IRIS"]["score"]
    assert len(report.verdicts) == 26
    assert report.verdicts["effect"].mean() == pytest.approx(1.046, abs=5e-4)  # as the abstract has it
    (row,) = report.table("aggregate").to_dict("records")
    iqm = stats.trim_mean(scores, proportiontocut=0.25, axis=None)  # rliable's metrics.aggregate_iqm
    assert row["iqm"] == pytest.approx(iqm, rel=1e-12)
    assert row["low"] < iqm < row["high"]
    assert row["improvement"] == pytest.approx((scores > 0).mean())
    assert {*report.verdicts["verdict"]} == {"undecided"}  # five runs can decide nothing


TREES = {"tree": 1, "forest": 25}
"""Name of a classifier → how many trees it has."""


@pytest.fixture(scope="module")
def classified():
    """Accuracies of two classifiers of scikit-learn on three data sets, the same splits for both, over ten seeds."""
    rows = []
    for name in ("iris", "wine", "breast_cancer"):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        for seed in range(10):
            x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.5, random_state=seed, stratify=y)
            for classifier, trees in TREES.items():
                fitted = RandomForestClassifier(trees, random_state=seed, bootstrap=trees > 1).fit(x_train, y_train)
                score = fitted.score(x_test, y_test)
                rows.append({"data": name, "seed": seed, "classifier": classifier, "accuracy": score})
    frame = pd.DataFrame(rows)
    return frame, bnbench.judge(frame, "classifier", "tree", "accuracy")


def test_scikit_learns_classifiers_are_judged_as_scipy_judges_them(classified):
    frame, report = classified
    verdicts = report.verdicts.set_index("data")
    assert {*verdicts.index} == {"iris", "wine", "breast_cancer"}
    for name, runs in frame.groupby("data"):
        arms = runs.pivot_table(index="seed", columns="classifier", values="accuracy")
        difference = (arms["forest"] - arms["tree"]).to_numpy()
        row = verdicts.loc[name]
        own = stats.ttest_1samp(difference, 0).confidence_interval()
        assert (row["own_low"], row["own_high"]) == pytest.approx((own.low, own.high), abs=1e-12)
        assert row["effect"] == pytest.approx(difference.mean(), abs=1e-12)
        assert row["p"] == pytest.approx(sign_flips(difference), abs=1e-12)
        decided = row["p_adjusted"] < 0.05 and row["effect_low"] > 0
        assert (row["verdict"] == "helps") == decided
        if decided:
            assert sign_flips(difference) < 0.05
            assert own.low > 0
    assert verdicts["verdict"]["breast_cancer"] == "helps"


def test_holms_adjustment_of_the_classifiers_is_that_of_statsmodels(classified):
    _, report = classified
    _, adjusted, _, _ = multipletests(report.verdicts["p"], method="holm")
    assert report.verdicts["p_holm"].to_numpy() == pytest.approx(adjusted, abs=1e-12)
    assert (report.verdicts["p_adjusted"] <= report.verdicts["p_holm"] + 1e-12).all()
