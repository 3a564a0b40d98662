"""Which directions a sentence names, and whether a verdict or the decided row of a table supports each of them.

A sentence is read by its form; one of no known form that names a direction is supported by nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from constructed import Page

from bnbench.judging import stretches
from bnbench.wording import effects, formats, titles

GENERIC = Path(__file__).with_name("page") / "generic_sentences.txt"

_WORDS = (
    *(
        "times as high",
        "higher",
        r"lower(?! (?:1 − 2α |95 % )?limit)",
        "better",
        "worse",
        "worst",
        "helps?",
        "helped",
        "hurts?",
    ),
    *("falls?", "rises?", "fell", "rose", "rising", "falling", "faster", "slower", "above", "below", "at least"),
    *("at most", "smaller", "larger", "wins?", "loses?", "outperforms?", "improves?", "improved"),
)
DIRECTION = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)
Row = Mapping[str, Any]

_AMOUNT = r"[\d.,e+-]+"
_UNIT = r"(?: %| percentage points?)?"
LOWER = rf"(?:(?:{_AMOUNT}|∞)-fold lower|{_AMOUNT}{_UNIT} lower)"
HIGHER = rf"(?:(?:{_AMOUNT}|∞)(?: times as high|-fold higher)|{_AMOUNT}{_UNIT} higher)"
OPEN = rf"may be from (?:{LOWER}|just as high) to (?:{HIGHER}|just as high) (?:as|than)\b"
OPEN_CHANGE = rf"\(anything from (?:{LOWER}|equal) to (?:{HIGHER}|equal) is possible\)"
_NUMBER = r"(\d[\d,]*)"
_AMONG = rf"(?:both|all {_NUMBER}|{_NUMBER} of {_NUMBER}) (?:contexts|comparisons)"


@dataclass
class Reader:
    """The sentences of one block, in order; one that names no context speaks of those that were named last."""

    page: Page
    last: list[Row] = field(default_factory=list)

    def rows_of(self, sentence: str) -> list[Row]:
        """The verdicts that a sentence is about."""
        self.last = _named(self.page.study, self.page.judged, sentence) or self.last
        return self.last

    def unsupported(self, sentence: str) -> list[str]:
        """The directions of a sentence that nothing supports."""
        study = self.page.study
        said = re.sub(OPEN_CHANGE, "", re.sub(OPEN, "", sentence))
        self.rows_of(sentence)
        if not DIRECTION.search(said):
            return []
        for form, judged in FORMS:
            if match := re.fullmatch(form, said):
                return [] if judged(self.page, match) else DIRECTION.findall(said)
        wrong = []
        for clause in re.split(r"; (?!p )", said):
            sides = _sides(study, clause)
            if sides:
                own = _named(study, self.page.judged, clause) or self.last
                wrong += [] if _decided(own, sides) else DIRECTION.findall(clause)
            else:
                wrong += DIRECTION.findall(_neutral(clause))
        return wrong


def _neutral(clause: str) -> str:
    """Without how verdicts count diverged trials, and what is too small to measure, which names no arm."""
    clause = re.sub(r"counting (?:a )?diverged (?:trial|run)s? as the worst( [a-z ]+?)?(?=[,(]| \()", "", clause)
    return re.sub(r"a loss below [\d.e+-]+, which float\d\d cannot tell from 0", "", clause)


def _sides(study: Any, clause: str) -> set[str]:
    """The verdicts that a clause states, by their words or by the side of the outcome."""
    lower = "helps" if study.outcome.lower_is_better else "hurts"
    higher = "hurts" if study.outcome.lower_is_better else "helps"
    words = {"lower": lower, "higher": higher, "times as high": higher, "better": "helps", "worse": "hurts"}
    words |= {"helps": "helps", "helped": "helps", "hurts": "hurts", "hurt": "hurts"}
    return {words[word] for word in DIRECTION.findall(_neutral(clause)) if word in words}


def _named(study: Any, rows: Sequence[Row], text: str) -> list[Row]:
    """The rows whose context and treatment a text names."""
    where = [titles.where(study, row) or "with " for row in rows]
    contexts = _mentions(text, {word for name in where for word in (name, formats.beginning(name))})
    found = [row for row, name in zip(rows, where, strict=True) if name in contexts]
    if not found:
        return []
    # What stands beside the baseline names no treatment; that of a context with one arm is named by its verdict.
    spoken = re.sub(r"(?:as|than) with(?:out)? .*", "", text)
    arms = _mentions(spoken, [titles.arm(study, arm) for arm in study.arms + study.tuned_arms])
    return [row for row in found if titles.arm(study, row["treatment"]) in arms and _against(study, row, text)]


def _against(study: Any, row: Row, text: str) -> bool:
    """Whether a text on two arms speaks of these two."""
    base = titles.with_arm(study, row["baseline"])
    spoken = re.findall(r"(?:as|than) (with(?:out)? .+?)(?= \(|\.(?!\d)|,|$)", text)
    return not spoken or base in spoken


def _mentions(text: str, names: Iterable[str]) -> set[str]:
    """Which names are in a text, the longest first, so that `no BN` is not read as `BN`; `With` as `with`."""
    found = set()
    for name in sorted(set(names), key=len, reverse=True):
        pattern = rf"(?<![\w.=]){re.escape(name)}(?![\w=]|\.\d)"
        if re.search(pattern, text):
            found.add(name[:1].lower() + name[1:] if name.startswith(("With ", "Without ")) else name)
            text = re.sub(pattern, "§", text)
    return found


def _decided(rows: Sequence[Row], sides: set[str]) -> bool:
    """Whether all rows that a clause names have the one verdict that it states."""
    if len(sides) != 1:
        return False
    (side,) = sides
    return bool(rows) and all(row["verdict"] == side for row in rows)


def _count(match: re.Match[str], total: int) -> int:
    """How many contexts `both contexts`, `all 4 contexts` or `2 of 4 contexts` are."""
    numbers = [int(group.replace(",", "")) for group in match.groups() if group and re.fullmatch(r"[\d,]+", group)]
    return numbers[-2] if " of " in match[0] and len(numbers) > 1 else numbers[-1] if numbers else min(2, total)


def _of_arms(page: Page, table: str, treated: str, base: str | None = None) -> list[Row]:
    """The rows of a table on a treatment, and on a baseline where one is named."""
    study = page.study
    return [
        row
        for row in page.rows[table]
        if titles.arm(study, row["treatment"]) == treated
        and (base is None or titles.arm(study, row["baseline"]) == base)
    ]


_VERB = {"hurt": "hurts", "hurts": "hurts", "help": "helps", "helps": "helps"}


def _headline(page: Page, match: re.Match[str]) -> bool:
    """`BN hurts in 2 and helps in 1 of 4 contexts`; `of 12 comparisons with no BN, 3 hurt, …`: so many verdicts are so.

    The verdicts are those of the tuned arms where it speaks of them, and else of the arms as they are.
    """
    said, table = match["said"], "tuned" if match["start"].lower().startswith("with tuned") else "contexts"
    if counted := re.fullmatch(rf"[Oo]f {_NUMBER} comparisons?(?: with (?P<base>.+?))?, (?P<counts>.*)", said):
        base = counted["base"]
        rows = [row for row in page.rows[table] if base in (None, titles.arm(page.study, row["baseline"]))]
        found = {
            _VERB[verb]: int(n.replace(",", ""))
            for n, verb in re.findall(r"([\d,]+) (hurts?|helps?)\b", counted["counts"])
        }
        verdicts = [row["verdict"] for row in rows]
        return len(rows) == int(counted[1].replace(",", "")) and all(
            verdicts.count(side) == found.get(side, 0) for side in ("hurts", "helps")
        )
    shared = re.search(r" of ([\d,]+) contexts(?: compared with (.+))?$", said)
    total, base = shared.groups() if shared else (None, None)
    return all(_headline_clause(page, table, clause, total, base) for clause in said.split("; "))


def _headline_clause(page: Page, table: str, clause: str, total: str | None, beside: str | None) -> bool:
    """What a headline says of one treatment: every verdict with a side is named, in as many contexts as it has."""
    study, outcome = page.study, page.study.outcome
    size = re.search(
        r"(?: \((?P<inside>[^()]*)\)|: (?P<after>.*)|, by ranks)$|\((?P<within>[^()]*)\)(?:, | and )", clause
    )
    sizes = next(filter(None, size.groups()), "") if size else ""
    bare = clause.replace(f" ({sizes})", "").replace(f": {sizes}", "") if sizes else clause
    called = {arm: titles.arm(study, arm) for arm in (*study.arms, *study.tuned_arms)}
    starts = {arm: (f"{title} ", f"{title[:1].upper()}{title[1:]} ") for arm, title in called.items()}
    named = [arm for arm in called if bare.startswith(starts[arm])]
    if not named:
        return not DIRECTION.search(clause)
    treated = titles.arm(study, max(named, key=lambda arm: len(titles.arm(study, arm))))
    against = re.search(r" compared with (.+?)(?= in \d|, |$)", bare)
    base = against[1] if against else beside or "no BN"
    rows = _of_arms(page, table, treated, base)
    of = re.search(r" of ([\d,]+) contexts", bare)
    contexts = of[1] if of else total
    if not rows or (len(rows) > 1 and (contexts is None or len(rows) != int(contexts.replace(",", "")))):
        return False
    sides = {}
    for verb, number in re.findall(
        r"\b(hurts|helps)\b(?: compared with .+?)?(?: in ([\d,]+))?(?= of |,| and |;|:|$)", bare
    ):
        sides[verb] = int(number.replace(",", "")) if number else 1
    verdicts = [row["verdict"] for row in rows]
    if any(verdicts.count(side) != sides.get(side, 0) for side in ("hurts", "helps")):
        return False
    words = {"helps": "lower", "hurts": "higher"} if outcome.lower_is_better else {"helps": "higher", "hurts": "lower"}
    told = {"higher" if word == "times as high" else word for word in re.findall("times as high|higher|lower", sizes)}
    return told <= {words[side] for side in sides} and len(told) <= 1


def _main_effect(page: Page, match: re.Match[str]) -> bool:
    """`Over all 4 contexts together, the test loss with BN is 2.0 times as high …`: the row is decided so."""
    rows = [
        row
        for row in _of_arms(page, "interactions", match["treated"], _beside(page, match["base"]))
        if row["factor"] == "main effect"
    ]
    none = page.study.outcome.no_effect
    return len(rows) == 1 and all(
        decided(page.study, row) and (row["high"] < none if match["side"].endswith("lower") else row["low"] > none)
        for row in rows
    )


def decided(study: Any, row: Row) -> bool:
    """Whether the test and the interval of a row of `interactions` both say that there is an effect."""
    return bool(row["p_adjusted"] < study.report.alpha and not row["low"] <= study.outcome.no_effect <= row["high"])


def _beside(page: Page, said: str) -> str:
    """The arm that stands after a change: `no BN` of `without BN`, `LN` of `with LN`."""
    return next(
        (titles.arm(page.study, arm) for arm in page.study.arms if titles.with_arm(page.study, arm) == said), said
    )


def _own_verdicts(page: Page, match: re.Match[str]) -> bool:
    """`By their own verdicts, BN helps in 1, BN hurts in 1 and …`: as many contexts of one comparison have each."""
    treated = re.search(r"(?:verdicts, )(.+?) (?:helps|hurts) in", match[0])
    if not treated:
        return False
    said = {verb: int(number) for verb, number in re.findall(r"\b(helps|hurts) in (\d+)", match[0])}
    pairs = {(row["baseline"], row["treatment"]) for row in _of_arms(page, "contexts", treated[1])}
    contexts = page.found["contexts"]
    for base, arm in pairs:
        own = contexts[(contexts["baseline"] == base) & (contexts["treatment"] == arm)]["verdict"]
        if {verb: int((own == verb).sum()) for verb in said} == said and ("disagree" in match[0]) == (len(said) == 2):
            return True
    return False


def _course(page: Page, match: re.Match[str]) -> bool:
    """`With full batch, from epoch 9 on, the test loss with BN is lower than without BN`: band and verdict say so."""
    study = page.study
    lower = (match["side"] == "lower") == study.outcome.lower_is_better
    keys = [*study.levels, "baseline", "treatment"]
    keys.remove(study.report.factor)
    for row in _of_arms(page, "contexts", match["treated"], _beside(page, match["base"])):
        if titles.context_name(study, row) != match["name"]:
            continue
        differences = page.found["differences"]
        own = differences[(differences[keys] == [row[key] for key in keys]).all(axis=1)]
        last = own.iloc[-1]
        since = last["decided_from"]
        if match["epoch"] is not None:
            since = float(match["epoch"].replace(",", "")) - int(study.trained_here)
        beside = (
            last["high"] < study.outcome.no_effect
            if match["side"] == "lower"
            else last["low"] > study.outcome.no_effect
        )
        return bool(row["verdict"] == ("helps" if lower else "hurts") and last["decided_from"] == since and beside)
    return False


def _trends(page: Page, match: re.Match[str]) -> bool:
    """`… fell without BN in both contexts (2.8-fold lower) …; it rose with …`: the table has as many such."""
    study, table = page.study, page.found["convergence"]
    of_verb = {"fell": "falls", "still falls": "falls", "rose": "rises", "still rises": "rises"}
    of_verb |= {"did not clearly change": "unclear"}
    parts = re.split(rf"\b({'|'.join(sorted(of_verb, key=len, reverse=True))})\b", match["rest"])
    for verb, told in zip(parts[1::2], parts[2::2], strict=True):
        trend = of_verb[verb]
        if re.match(r" in all arms", told):
            if {*table["trend"]} != {trend}:
                return False
            continue
        arms = _mentions(told, [titles.with_arm(study, arm) for arm in study.arms])
        sides = {"lower" if side == "lower" else "higher" for side in re.findall("times as high|higher|lower", told)}
        if not arms or sides - {{"falls": "lower", "rises": "higher"}.get(trend, "")}:
            return False
        for arm in study.arms:
            own = table[table[study.report.factor] == arm]["trend"]
            named = re.search(rf"{re.escape(titles.with_arm(study, arm))}(?: in {_AMONG})?", told)
            there = titles.with_arm(study, arm) in arms
            if there and named and int((own == trend).sum()) != (_count(named, len(own)) if " in " in named[0] else 1):
                return False
    return len(parts) > 1


def _seed_by_seed(page: Page, match: re.Match[str]) -> bool:
    """`full batch: the test loss is lower with BN on 3 and without BN on 5 of 8 seeds`: so it is in the pairs."""
    study, table = page.study, page.found["pairs"]
    if (match["side"] == "lower") != study.outcome.lower_is_better:
        return False
    for row in _of_arms(page, "contexts", _beside(page, match["treated"]), _beside(page, match["base"])):
        if titles.contrast_name(study, row) == match["name"]:
            keys = [key for key in (*study.levels, "baseline", "treatment") if key != study.report.factor]
            own = table[(table[keys] == [row[key] for key in keys]).all(axis=1)]
            apart = (own["treatment_value"] - own["baseline_value"]) * (1 if study.outcome.lower_is_better else -1)
            counts = [int((apart < 0).sum()), int((apart > 0).sum()), len(own)]
            return counts == [int(match[name]) for name in ("first", "second", "seeds")]
    return False


def _share(page: Page, match: re.Match[str]) -> bool:
    """`BN is better in 48 % of the pairs (…) and no BN in 52 %`: both sides are told, and both are of the table."""
    rows = _of_arms(page, "aggregate", match["treated"], match["base"])
    first, second = int(match["first"]), int(match["second"])
    return first + second == 100 and any(abs(100 * row["improvement"] - first) <= 0.5 for row in rows)


def _reference(page: Page, match: re.Match[str]) -> bool:
    """`The question's 4e-4 at epoch 39 with BN lies below all of 8 seeds`: so it does in the table of references."""
    beyond = {"below": lambda row: row["value"] < row["lowest"], "above": lambda row: row["value"] > row["highest"]}
    rows = [row for row in page.rows["reference"] if f"{row['value']:.2e}" == match["value"]]
    return any(beyond[match["side"]](row) and row["seeds"] == int(match["seeds"]) for row in rows)


def _rows_named(page: Page, table: str, match: re.Match[str]) -> list[Row]:
    """The rows of a table on the comparison, and in the context, that a sentence names."""
    rows = _of_arms(page, table, _beside(page, match["treated"]), _beside(page, match["base"]))
    return [row for row in rows if match["name"] in (None, titles.context_name(page.study, row))]


def _crossing(page: Page, match: re.Match[str]) -> bool:
    """`… is lower than without BN from epoch 39 to 619 and higher from …`: so says the band at each of these epochs.

    Of `at times`, at some of them, and at none of them the opposite. `At most 6.1-fold lower, at epoch 119` is the
    largest effect on that side.
    """
    rows, none = _rows_named(page, "differences", match), page.study.outcome.no_effect
    said = re.findall(SIDE, match["rest"])
    first_one = int(page.study.trained_here)  # people count from 1 what is stored from 0
    for side, at_times, first, last, largest, peak in said:
        low, high = (int(end.replace(",", "")) - first_one for end in (first, last or first))
        own = [row for row in rows if low <= row["epoch"] <= high]
        lower = (side or match["first"]) == "lower"
        agree = [row["high"] < none if lower else row["low"] > none for row in own]
        against = [row["low"] > none if lower else row["high"] < none for row in own]
        if any(against) or not (any(agree) if at_times else agree and all(agree)):
            return False
        if largest and not _largest(page, [row for row, ours in zip(own, agree, strict=True) if ours], largest, peak):
            return False
    return len(said) > ("alone" not in match["rest"])


def _turning(page: Page, match: re.Match[str]) -> bool:
    """`Yes, in 1 of 4 contexts: BN helps early and hurts later`: in as many, the stretches that matter say so."""
    study, table = page.study, page.found["stretches"]
    held = [name for name in table if name in (*study.levels, "baseline", "treatment") and name != study.report.factor]
    crossed = []
    for _, group in table.groupby(held, sort=False):
        runs = stretches.runs(group.to_dict("records"))
        crossed += [[(run[0]["side"], run[0]["treatment"]) for run in runs]] if len(runs) > 1 else []
    better = {True: "below", False: "above"}[study.outcome.lower_is_better]
    words = [[("helps" if side == better else "hurts") for side, _ in course] for course in crossed]
    arms = {titles.arm(study, treatment) for course in crossed for _, treatment in course}
    total = len(page.found["drift"])
    counted = _count(re.fullmatch(_AMONG, match["among"]), total) if match["among"] else 1
    return (
        len(crossed) == counted
        and arms == {match["treated"]}
        and all(course == [match["early"], match["later"]] for course in words)
    )


def _shrinks(page: Page, match: re.Match[str]) -> bool:
    """`… falls from 10 after 100 epochs to 1.43 at the end`: band and verdict do not overlap."""
    study = page.study
    epoch = int(match["epoch"].replace(",", "")) - int(study.trained_here)
    peaks = [row for row in _rows_named(page, "differences", match) if row["epoch"] == epoch]
    judged = [row for row in _rows_named(page, "contexts", match) if row["verdict"] in ("helps", "hurts")]
    falls = match["verb"] == "falls"
    return bool(peaks and judged) and all(
        peak["low"] > row["effect_high"] if falls else peak["high"] < row["effect_low"]
        for peak, row in zip(peaks, judged, strict=True)
    )


def _largest(page: Page, rows: list[Row], said: str, peak: str) -> bool:
    """Whether the largest effect of these epochs is as large as is said, and at the epoch that is named."""
    top = max(rows, key=lambda row: effects.size(page.study.outcome, row["effect"]))
    return effects.changed(page.study.outcome, top["effect"]) == said and top["epoch"] == int(
        peak.replace(",", "")
    ) - int(page.study.trained_here)


def _drift(page: Page, match: re.Match[str]) -> bool:
    """`From epoch 399 to 499, the ratio … became 6 % higher`: the limits of the change say so."""
    none, lower = page.study.outcome.no_effect, match["side"].endswith("lower")
    rows = [
        row
        for row in _rows_named(page, "drift", match)
        if row["first_epoch"] == int(match["from"].replace(",", "")) - int(page.study.trained_here)
    ]
    return bool(rows) and all(row["change_high"] < none if lower else row["change_low"] > none for row in rows)


def _parts(page: Page, match: re.Match[str]) -> bool:
    """`With …, the test loss with BN is 4.3 times as high as without BN: …`: so is the total, and it is decided."""
    rows = [row for row in _rows_named(page, "decomposition", match) if row["component"] == "total"]
    lower = match["side"].endswith("lower")
    return bool(rows) and all(
        row["p_adjusted"] < page.study.report.alpha and (row["high"] < 1 if lower else row["low"] > 1) for row in rows
    )


def _weights(page: Page, match: re.Match[str]) -> bool:
    """`Most of the difference is in the weights in 3 of 4 contexts: … worse networks …`: so many rows bear it out."""
    study, mostly, total = page.study, [], 0
    keys = [*study.levels, "baseline", "treatment"]
    keys.remove(study.report.factor)
    for _, group in page.found["decomposition"].groupby(keys, sort=False):
        of, total = {row["component"]: row for row in group.to_dict("records")}, total + 1
        parts = [of[name] for name in ("weights", "total")]
        apart = all(row["p_adjusted"] < study.report.alpha and not row["low"] <= 1 <= row["high"] for row in parts)
        weights, stale = (abs(math.log(of[name]["effect"])) for name in ("weights", "stale averages"))
        sides = {row["effect"] > 1 for row in parts}
        mostly += [of["weights"]] if apart and len(sides) == 1 and weights > stale else []
    counted = _count(re.fullmatch(_AMONG, match["among"]), total) if match["among"] else 1
    return len(mostly) == counted and all(
        (row["effect"] > 1) == (match["side"] == "worse")
        and _beside(page, match["arm"]) == titles.arm(study, row["treatment"])
        for row in mostly
    )


def _modes(page: Page, match: re.Match[str]) -> bool:
    """`… in training mode and … in evaluation mode: there it is 2.2-fold lower`: the intervals do not overlap."""
    study, label = page.study, _beside(page, match["arm"])
    rows = [row for row in page.rows["modes"] if titles.arm(study, row[study.report.factor]) == label]
    rows = [row for row in rows if titles.context_name(study, row) == match["name"]]
    of = {row["outcome"]: row for row in rows}
    training, evaluation = of["train_loss"], of["eval_loss"]
    lower = match["side"].endswith("lower")
    return bool(evaluation["high"] < training["low"] if lower else evaluation["low"] > training["high"])


TRENDS = (
    r"(?:Between [\d,]+ and [\d,]+ epochs?|From [a-z ]+ [\d,]+ to [a-z ]+ [\d,]+) \(\d+ measurements\), "
    r"the [a-z ]+? (?=fell|rose|did not)(?P<rest>.*)"
)
STILL = r"At the last epochs, the [a-z ]+? (?=still)(?P<rest>.*?)(?:, so more epochs may give another answer)?\."
SEED_BY_SEED = (
    r"(?:Final [a-z]+, seed by seed\. )?(?P<name>.+): the [a-z ]+ is (?P<side>lower|higher) "
    r"(?P<treated>with(?:out)? .+) on (?P<first>\d+) and (?P<base>with(?:out)? .+) on "
    r"(?P<second>\d+) of (?P<seeds>\d+) seeds?"
    r"(?:; on \d+ they are equal, or a trial diverged)?\."
)
SHARE = (
    r"As a description over .*?(?:, and |seeds?, |all of them have, )(?P<treated>[^,]+) is better in (?P<first>\d+) % "
    r"of the pairs(?: \(\d+ % to \d+ %\))? and (?P<base>.+) in (?P<second>\d+) %\."
)
TOGETHER = (
    r"Over (?:both|all \d+) contexts together, the [a-z ]+ with (?P<treated>.+) is "
    rf"(?:(?P<side>{HIGHER}|{LOWER})) (?:as|than) (?P<base>with(?:out)? .+?)(?: \(.*\))?\.?"
)
COURSE = (
    r"With (?P<name>.+), (?:from (?:epoch )?(?P<epoch>[\d,]+)(?: epochs?)? on,|at the last "
    r"measurement) the [a-z ]+ with (?P<treated>.+) "
    r"is (?P<side>higher|lower) than (?P<base>with(?:out)? .+?)(?:, among the \d+ pairs that stayed finite)?\."
)
SIDE = (
    r"(?:(higher|lower) )?(?:(at times) )?(?:after|from [a-z ]+|at [a-z ]+) ([\d,]+)(?: to ([\d,]+))?(?: epochs?)?"
    r"(?: \(at most ([^()]+), (?:after|at [a-z ]+) ([\d,]+)(?: epochs?)?\))?"
)
CROSSING = (
    r"(?:[Ww]ith (?P<name>.+), )?[Tt]he [a-z ]+ (?P<treated>with .+) is "
    r"(?P<first>(?:higher|lower)) than (?P<base>with(?:out)? .+?) (?P<rest>(?:at times )?(?:after|at|from) .+?)"
    r"(?:, changing sides \d+ times|: counted as (?:early training|too short), not as another answer)?\."
)
DRIFT = (
    r"(?:[Ww]ith (?P<name>.+), )?(?:[Bb]etween|[Ff]rom)(?: epoch)? (?P<from>[\d,]+) (?:and|to)(?: "
    r"epoch)? (?P<to>[\d,]+)(?: epochs?)?, "
    r"the .+, (?P<treated>[^,]+) (?:to|minus) "
    rf"(?P<base>.+?),? became (?P<side>{HIGHER}|{LOWER}) \(.*\)\."
)
SHRINKS = (
    r"(?:[Ww]ith (?P<name>.+), )?[Tt]he .+, (?P<treated>[^,]+) (?:to|minus) (?P<base>.+?), (?P<verb>falls|rises) "
    r"from [−+\d.,e-]+ (?:after|at [a-z ]+) (?P<epoch>[\d,]+)(?: epochs?)? to [−+\d.,e-]+ at the end\."
)
TURNING = (
    rf"(?:Yes|The answer depends on the budget)(?:,? in (?P<among>{_AMONG}))?: (?P<treated>.+) "
    r"(?P<early>helps|hurts) early and (?P<later>helps|hurts) later\."
)
PARTS = (
    rf"With (?P<name>.+), the test loss (?P<treated>with .+?) is (?P<side>{HIGHER}|{LOWER}) (?:as|than) "
    r"(?P<base>with(?:out)? .+?)(?:: .*)?\."
)
WEIGHTS = (
    rf"Most of the difference is in the weights(?: in (?P<among>{_AMONG}))?: training (?P<arm>with(?:out)? .+) led to "
    r"(?P<side>worse|better) networks, even when they are tested with exact statistics\."
)
MODES = (
    r"With (?P<name>.+), on the training points, the loss (?P<arm>with.* .+?) is [\d.e+-]+ in training mode "
    rf"and [\d.e+-]+ in evaluation mode: there it is (?P<side>{HIGHER}|{LOWER})\."
)
HEADLINE = (
    r"(?P<start>(?:[Ww]ith tuned [a-z ]+, |[Aa]t equal [a-z]+, )?)"
    r"(?P<said>(?:[Oo]f [\d,]+ comparisons?|(?![Ww]ith(?:out)? |[Oo]ver |[Bb]y |The ).+? (?:hurts|helps))"
    r"(?:,| in | with | compared |:|; |\.?$).*?)\.?"
)
PRINTED = (
    r".*'s (?P<value>[\d.e+-]+) (?:after [\d,]+ epochs?|at [a-z ]+ [\d,]+) with .* lies "
    r"(?P<side>below|above) all of (?P<seeds>\d+) seeds?, "
    r"whose .*"
)
FORMS: list[tuple[str, Callable[[Page, re.Match[str]], bool]]] = [
    (TOGETHER, _main_effect),
    (r"(?:The contexts disagree: by|By) their own verdicts, .*", _own_verdicts),
    (COURSE, _course),
    (PRINTED, _reference),
    (TRENDS, _trends),
    (STILL, _trends),
    (SEED_BY_SEED, _seed_by_seed),
    (SHARE, _share),
    (TURNING, _turning),
    (CROSSING, _crossing),
    (SHRINKS, _shrinks),
    (DRIFT, _drift),
    (PARTS, _parts),
    (MODES, _modes),
    (WEIGHTS, _weights),
    (HEADLINE, _headline),
]
"""What a whole sentence looks like → whether its table bears it out."""


def generic(study: Any, lists: Path = GENERIC) -> re.Pattern[str]:
    """What matches the sentences of a list, as a whole, for a study."""
    arms = [re.escape(titles.arm(study, arm)) for arm in study.arms] + ["the arm", "the baseline"]
    meant = {
        "n": r"[−-]?\d[\d./,]*(?: percentage points?)?",
        "arm": f"(?:{'|'.join(arms)})",
        "effect": "(?:ratio|difference)",
    }
    meant["…"] = r"(?:[^.;]|\.(?! )|; (?!lr=))*"
    lines = [line for line in lists.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    escaped = [re.sub(r"\\\{(\w+|…)\\\}", lambda name: meant[name[1]], re.escape(line)) for line in lines]
    return re.compile("|".join(escaped))
