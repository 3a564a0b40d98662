# Pairs by seed, and verdicts.
TABLES = [
    "contexts",
    "pairs",
    "curves",
    "modes",
    "fit",
    "reference",
    "exclusions",
    "provenance",
]


rule compare:
    input:
        rules.collect.output,
    output:
        tables=expand(f"{REPORT}/tables/{{table}}.csv", table=TABLES),
        verdicts=f"{REPORT}/verdicts.json",
    log:
        f"logs/{STUDY.name}/compare.log",
    params:
        study=study_json,
    shell:
        "python -m bnbench compare --study {params.study:q} 2>&1 | tee {log:q}"
