"""Numbers in, numbers out: pairs, tests, intervals and verdicts, without a word of English.

Other rooms take the tables of `verdicts`, `exploratory`, `interactions`, `aggregate`, `ranks`, `summaries`,
`aa_control` and `tuning`, the conclusions of `claims`, and the functions of `stats` and `sign_flips`. This room imports
the store, the plan and the ground. It imports neither torch nor the wording.
"""
