# All chunks of the study, in three tables, and what was planned when they were trained; or a table of the user's own.
# The mark's name ends in a hash that such a table's bytes are part of, so its time says nothing.
rule collect:
    input:
        expand(
            f"{RESULTS}/{{kind}}/{{chunk}}.parquet",
            kind=["losses", "trials", "predictions"],
            chunk=CHUNKS,
        ),
        ancient(OWN_FILES),
    output:
        trials=f"{REPORT}/data/trials.parquet",
        curves=f"{REPORT}/data/curves.parquet",
        predictions=f"{REPORT}/data/predictions.parquet",
        plans=f"{REPORT}/data/{preregistration.COLLECTED}",
        mark=f"{REPORT}/data/{stamps.collected(STUDY).name}",
    log:
        f"logs/{STUDY.name}/collect.log",
    localrule: True
    params:
        package=package,
        study=study_file,
        results=results_folder,
    shell:
        "python -m bnbench --package={params.package:q} collect --study {params.study:q} --results {params.results:q}"
        " 2>&1 | tee {log:q} >&2"
