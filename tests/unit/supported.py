"""Which directions a sentence names, and whether a verdict or the decided row of a table supports each of them.

A sentence is read by its form; one of no known form that names a direction is supported by nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from constructed import Page

from bnbench.wording import titles

GENERIC = Path(__file__).with_name("page") / "generic_sentences.txt"

_WORDS = (
    *("higher", r"lower(?! (?:1 − 2α |95 % )?limit)", "better", "worse", "worst", "helps?", "helped", "hurts?"),
    *("falls?", "rises?", "fell", "rose", "rising", "falling", "faster", "slower", "above", "below", "at least"),
    *("at most", "smaller", "larger", "wins?", "loses?", "outperforms?", "improves?", "improved"),
)
DIRECTION = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)
Row = Mapping[str, Any]

_SIZE = r"(?:[\d.,e+-]+(?: %| ×| percentage points?)?|∞ ×)"
OPEN = rf"may be anything from (?:{_SIZE} lower|equal) to (?:{_SIZE} higher|equal), compared with"
OPEN_CHANGE = rf"\(anything from (?:{_SIZE} lower|equal) to (?:{_SIZE} higher|equal) is possible\)"
_NUMBER = r"(\d[\d,]*)"
_AMONG = rf"(?:both contexts|all {_NUMBER} contexts|{_NUMBER} of {_NUMBER} contexts)"


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
    words = {"lower": lower, "higher": higher, "better": "helps", "worse": "hurts"}
    words |= {"helps": "helps", "helped": "helps", "hurts": "hurts", "hurt": "hurts"}
    return {words[word] for word in DIRECTION.findall(_neutral(clause)) if word in words}


def _named(study: Any, rows: Sequence[Row], text: str) -> list[Row]:
    """The rows whose context and treatment a text names."""
    contexts = _mentions(text, {f"{word} {row['name']}" for row in rows for word in ("with", "With")})
    found = [row for row in rows if f"with {row['name']}" in contexts]
    if not found:
        return []
    arms = _mentions(text, [titles.arm(study, arm) for arm in study.arms + study.tuned_arms])
    return [row for row in found if titles.arm(study, row["treatment"]) in arms and _against(study, row, text)]


def _against(study: Any, row: Row, text: str) -> bool:
    """Whether a text on two arms speaks of these two."""
    treated, base = (titles.arm(study, row[name]) for name in ("treatment", "baseline"))
    if instead := re.search(rf"{re.escape(treated)} instead of (.+?) (?:made|was|hurt|helped)", text):
        return instead[1] == base
    spoken = re.findall(r"than with (.+?)(?= \(|\.(?!\d)|,|$)", text)
    return not spoken or base in spoken


def _mentions(text: str, names: Iterable[str]) -> set[str]:
    """Which names stand in a text, the longest first, so that `no BN` is not taken for `BN`; `With` as `with`."""
    found = set()
    for name in sorted(set(names), key=len, reverse=True):
        pattern = rf"(?<![\w.=]){re.escape(name)}(?![\w=]|\.\d)"
        if re.search(pattern, text):
            found.add(name[:1].lower() + name[1:] if name.startswith("With ") else name)
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


def _counted_verdicts(page: Page, match: re.Match[str]) -> bool:
    """`BN hurt in all 15 contexts (…); …`: each clause has as many contexts as it says."""
    outcome = page.study.outcome
    for clause in match[0].rstrip(".").split("; "):
        found = re.search(
            rf"(?:, |^)(?P<acting>[^,;]+?) (?P<did>hurt|helped) in (?:{_AMONG}|{_NUMBER})(?: \((?P<size>.*)\))?$",
            clause,
        )
        if not found:
            if DIRECTION.search(clause):
                return False
            continue
        treated, _, base = found["acting"].partition(" instead of ")
        side = {"hurt": "hurts", "helped": "helps"}[found["did"]]
        own = [
            row
            for row in _of_arms(page, "contexts", treated, base or None)
            if base or row["baseline"] == page.study.report.baseline
        ]
        if sum(row["verdict"] == side for row in own) != _count(found, len(own)):
            return False
        word = "lower" if (side == "helps") == outcome.lower_is_better else "higher"
        if set(re.findall("higher|lower", found["size"] or "")) - {word}:
            return False
    return True


def _main_effect(page: Page, match: re.Match[str]) -> bool:
    """`Over all 4 contexts together, the test loss with BN is 2 × higher … than with no BN`: the row is decided so."""
    rows = [
        row for row in _of_arms(page, "interactions", match["treated"], match["base"]) if row["factor"] == "main effect"
    ]
    none = page.study.outcome.no_effect
    return len(rows) == 1 and all(
        decided(page.study, row) and (row["low"] > none if match["side"] == "higher" else row["high"] < none)
        for row in rows
    )


def decided(study: Any, row: Row) -> bool:
    """Whether the test and the interval of a row of `interactions` both say that there is an effect."""
    return bool(row["p_adjusted"] < study.report.alpha and not row["low"] <= study.outcome.no_effect <= row["high"])


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
    """`With full batch, from epoch 9 on, the test loss with BN is lower than with no BN`: band and verdict say so."""
    study = page.study
    lower = (match["side"] == "lower") == study.outcome.lower_is_better
    keys = [*study.levels, "baseline", "treatment"]
    keys.remove(study.report.factor)
    for row in _of_arms(page, "contexts", match["treated"], match["base"]):
        if titles.context_name(study, row) != match["name"]:
            continue
        differences = page.found["differences"]
        own = differences[(differences[keys] == [row[key] for key in keys]).all(axis=1)]
        last = own.iloc[-1]
        since = last["decided_from"] if match["epoch"] is None else float(match["epoch"])
        beside = (
            last["high"] < study.outcome.no_effect
            if match["side"] == "lower"
            else last["low"] > study.outcome.no_effect
        )
        return bool(row["verdict"] == ("helps" if lower else "hurts") and last["decided_from"] == since and beside)
    return False


def _trends(page: Page, match: re.Match[str]) -> bool:
    """`… fell with no BN in both contexts (2.8 × lower) and …; it rose with …`: the table has as many such trends."""
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
        arms = _mentions(told, [f"with {titles.arm(study, arm)}" for arm in study.arms])
        if not arms or {*re.findall("higher|lower", told)} - {{"falls": "lower", "rises": "higher"}.get(trend, "")}:
            return False
        for arm in study.arms:
            own = table[table[study.report.factor] == arm]["trend"]
            named = re.search(rf"with {re.escape(titles.arm(study, arm))}(?: in {_AMONG})?", told)
            there = f"with {titles.arm(study, arm)}" in arms
            if there and named and int((own == trend).sum()) != (_count(named, len(own)) if " in " in named[0] else 1):
                return False
    return len(parts) > 1


def _seed_by_seed(page: Page, match: re.Match[str]) -> bool:
    """`full batch: the test loss is lower with BN on 3 and with no BN on 5 of 8 seeds`: so it is in the pairs."""
    study, table = page.study, page.found["pairs"]
    if (match["side"] == "lower") != study.outcome.lower_is_better:
        return False
    for row in _of_arms(page, "contexts", match["treated"], match["base"]):
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


TRENDS = r"From epoch [\d,]+ to epoch [\d,]+ \(\d+ measurements\), the [a-z ]+? (?=fell|rose|did not)(?P<rest>.*)"
STILL = r"At the last epochs, the [a-z ]+? (?=still)(?P<rest>.*), so more epochs may give another answer\."
SEED_BY_SEED = (
    r"(?:Final [a-z]+, seed by seed\. )?(?P<name>.+): the [a-z ]+ is (?P<side>lower|higher) with (?P<treated>.+) on "
    r"(?P<first>\d+) and with (?P<base>.+) on (?P<second>\d+) of (?P<seeds>\d+) seeds?"
    r"(?:; on \d+ they are equal, or a trial diverged)?\."
)
SHARE = (
    r"As a description over .*?(?:, and |seeds?, |all of them have, )(?P<treated>[^,]+) is better in (?P<first>\d+) % "
    r"of the pairs(?: \(\d+ % to \d+ %\))? and (?P<base>.+) in (?P<second>\d+) %\."
)
TOGETHER = (
    r"Over (?:both|all \d+) contexts together, the [a-z ]+ with (?P<treated>.+) is "
    rf"{_SIZE} (?P<side>higher|lower)(?: \(.*?\))? than with (?P<base>.+?)(?: \(.*\))?\.?"
)
COURSE = (
    r"With (?P<name>.+), (?:from epoch (?P<epoch>\d+) on,|at the last measurement) the [a-z ]+ with (?P<treated>.+) "
    r"is (?P<side>higher|lower) than with (?P<base>.+?)(?:, among the \d+ pairs that stayed finite)?\."
)
PRINTED = (
    r".*'s (?P<value>[\d.e+-]+) at epoch \d+ with .* lies (?P<side>below|above) all of (?P<seeds>\d+) seeds?, "
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
    (r"(?:.*: )?[Oo]ver [\d to]+ seeds, .* (?:hurt|helped) in .*", _counted_verdicts),
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
