"""The works that pages cite, and which of them a page does: its list of references holds those alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape


@dataclass(frozen=True)
class Reference:
    """A work."""

    authors: str
    year: int
    title: str
    venue: str
    """Where it appeared, whose name is set in italics."""
    pages: str = ""
    """Volume and pages, or the publisher."""
    doi: str = ""
    """Empty where it has none."""

    @property
    def cited_as(self) -> str:
        """The authors as a text names them: `Holm`, `Gelman & Stern`, `Agarwal et al.`."""
        if "et al." in self.authors:
            return re.sub(r",.*? et al\.", " et al.", self.authors)
        names = re.findall(r"([^\W\d_][\w-]+),(?: \w\.)+", self.authors)
        return " & ".join(filter(None, [", ".join(names[:-1]), names[-1]]))

    @property
    def link(self) -> str:
        """The address of its DOI; empty where it has none."""
        return f"https://doi.org/{self.doi}" if self.doi else ""


REFERENCES = (
    Reference(
        "Agarwal, R. et al.",
        2021,
        "Deep reinforcement learning at the edge of the statistical precipice",
        "NeurIPS",
        "34, 29304–29320",
        "10.48550/arXiv.2108.13264",
    ),
    Reference(
        "Benavoli, A., Corani, G. & Mangili, F.",
        2016,
        "Should we really use post-hoc tests based on mean-ranks?",
        "J. Mach. Learn. Res.",
        "17(5), 1–10",
    ),
    Reference(
        "Benjamini, Y. & Hochberg, Y.",
        1995,
        "Controlling the false discovery rate",
        "J. R. Stat. Soc. B",
        "57, 289–300",
        "10.1111/j.2517-6161.1995.tb02031.x",
    ),
    Reference(
        "Bouthillier, X. et al.",
        2021,
        "Accounting for variance in machine learning benchmarks",
        "Proc. MLSys",
        "3",
        "10.48550/arXiv.2103.03098",
    ),
    Reference(
        "Demšar, J.",
        2006,
        "Statistical comparisons of classifiers over multiple data sets",
        "J. Mach. Learn. Res.",
        "7, 1–30",
    ),
    Reference(
        "Franz, V. H. & Loftus, G. R.",
        2012,
        "Standard errors and confidence intervals in within-subjects designs",
        "Psychon. Bull. Rev.",
        "19, 395–404",
        "10.3758/s13423-012-0230-1",
    ),
    Reference(
        "Gelman, A. & Stern, H.",
        2006,
        "The difference between “significant” and “not significant” is not itself statistically significant",
        "Am. Stat.",
        "60, 328–331",
        "10.1198/000313006X152649",
    ),
    Reference(
        "Hesterberg, T. C.",
        2015,
        "What teachers should know about the bootstrap",
        "Am. Stat.",
        "69, 371–386",
        "10.1080/00031305.2015.1089789",
    ),
    Reference(
        "Higgins, J. P. T. & Thompson, S. G.",
        2002,
        "Quantifying heterogeneity in a meta-analysis",
        "Stat. Med.",
        "21, 1539–1558",
        "10.1002/sim.1186",
    ),
    Reference(
        "Higgins, J. P. T., Thompson, S. G. & Spiegelhalter, D. J.",
        2009,
        "A re-evaluation of random-effects meta-analysis",
        "J. R. Stat. Soc. A",
        "172, 137–159",
        "10.1111/j.1467-985X.2008.00552.x",
    ),
    Reference(
        "Hodges, J. L. & Lehmann, E. L.",
        1963,
        "Estimates of location based on rank tests",
        "Ann. Math. Stat.",
        "34, 598–611",
        "10.1214/aoms/1177704172",
    ),
    Reference(
        "Holm, S.", 1979, "A simple sequentially rejective multiple test procedure", "Scand. J. Stat.", "6, 65–70"
    ),
    Reference(
        "Janssen, A.",
        1997,
        "Studentized permutation tests for non-i.i.d. hypotheses and the generalized Behrens–Fisher problem",
        "Stat. Probab. Lett.",
        "36, 9–21",
        "10.1016/S0167-7152(97)00043-6",
    ),
    Reference(
        "Lachin, J. M.",
        1999,
        "Worst-rank score analysis with informatively missing observations in clinical trials",
        "Control. Clin. Trials",
        "20, 408–422",
        "10.1016/S0197-2456(99)00022-7",
    ),
    Reference(
        "Lakens, D.",
        2013,
        "Calculating and reporting effect sizes to facilitate cumulative science",
        "Front. Psychol.",
        "4, 863",
        "10.3389/fpsyg.2013.00863",
    ),
    Reference(
        "Miller, R. G.", 1968, "Jackknifing variances", "Ann. Math. Stat.", "39, 567–582", "10.1214/aoms/1177698418"
    ),
    Reference(
        "Nadeau, C. & Bengio, Y.",
        2003,
        "Inference for the generalization error",
        "Mach. Learn.",
        "52, 239–281",
        "10.1023/A:1024068626366",
    ),
    Reference(
        "Phipson, B. & Smyth, G. K.",
        2010,
        "Permutation p-values should never be zero",
        "Stat. Appl. Genet. Mol. Biol.",
        "9, 39",
        "10.2202/1544-6115.1585",
    ),
    Reference(
        "Pitman, E. J. G.", 1939, "A note on normal correlation", "Biometrika", "31, 9–12", "10.1093/biomet/31.1-2.9"
    ),
    Reference(
        "Romano, J. P. & Wolf, M.",
        2005,
        "Exact and approximate stepdown methods for multiple hypothesis testing",
        "J. Am. Stat. Assoc.",
        "100, 94–108",
        "10.1198/016214504000000539",
    ),
    Reference(
        "Royston, P. & Parmar, M. K. B.",
        2013,
        "Restricted mean survival time: an alternative to the hazard ratio for the design and analysis of randomized "
        "trials with a time-to-event outcome",
        "BMC Med. Res. Methodol.",
        "13, 152",
        "10.1186/1471-2288-13-152",
    ),
    Reference(
        "Schuirmann, D. J.",
        1987,
        "A comparison of the two one-sided tests procedure and the power approach for assessing the equivalence of "
        "average bioavailability",
        "J. Pharmacokinet. Biopharm.",
        "15, 657–680",
        "10.1007/BF01068419",
    ),
    Reference(
        "Welch, B. L.",
        1947,
        "The generalization of “Student's” problem when several different population variances are involved",
        "Biometrika",
        "34, 28–35",
        "10.1093/biomet/34.1-2.28",
    ),
    Reference("Westfall, P. H. & Young, S. S.", 1993, "Resampling-Based Multiple Testing", "Wiley"),
    Reference(
        "Wilson, E. B.",
        1927,
        "Probable inference, the law of succession, and statistical inference",
        "J. Am. Stat. Assoc.",
        "22, 209–212",
        "10.1080/01621459.1927.10502953",
    ),
)
"""All of them, by author and year."""


def cited(page: str, references: Iterable[Reference] = REFERENCES) -> list[Reference]:
    """The works that a page names with their year, as in `(Gelman & Stern 2006)` or `Welch's (1947) interval`."""
    text = " ".join(unescape(re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)).split())
    return [work for work in references if re.search(_form(work), text)]


def _form(work: Reference) -> str:
    return rf"\b{re.escape(work.cited_as)}(?:['’]s)?(?: \w+)? \(?{work.year}\b"
