# Pairs by seed, and verdicts.
rule compare:
    input:
        rules.collect.output,
    output:
        **{
            name: report(
                f"{REPORT}/tables/{name}.csv",
                caption="../captions/table.rst",
                category="Tables",
                labels={"table": name, "holds": schemas.description(columns)},
            )
            for name, columns in schemas.TABLES.items()
        },
        verdicts=f"{REPORT}/verdicts.json",
        mark=f"{REPORT}/data/{stamps.compared(STUDY).name}",
    log:
        f"logs/{STUDY.name}/compare.log",
    localrule: True
    params:
        package=package,
        study=study_file,
        said=said,
    shell:
        "python -m bnbench --package={params.package:q} compare --study {params.study:q} 2>&1 | tee {log:q} >&2"
