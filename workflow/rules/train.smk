# One job: all seeds of one chunk of one setting.
rule train:
    # `update` keeps Snakemake from removing a table that another study wrote since the plan was made.
    output:
        losses=update(f"{RESULTS}/losses/{{setting}}/seeds-{{first}}-{{last}}.parquet"),
        trials=update(f"{RESULTS}/trials/{{setting}}/seeds-{{first}}-{{last}}.parquet"),
        predictions=update(
            f"{RESULTS}/predictions/{{setting}}/seeds-{{first}}-{{last}}.parquet"
        ),
    log:
        "logs/train/{setting}/seeds-{first}-{last}.log",
    threads: STUDY.config["threads"]
    resources:
        runtime=minutes,
        mem_mb=mebibytes,
    params:
        package=package,
        study=study_file,
        setting=setting,
        results=results_folder,
        mark=mark,
        gpu_share=gpu_share,
    shell:
        "python -m bnbench --package={params.package:q} train --study {params.study:q} --setting {params.setting:q}"
        " --first {wildcards.first} --last {wildcards.last} --threads {threads} --gpu-share {params.gpu_share}"
        " --results {params.results:q} --mark={params.mark:q}"
        " 2>&1 | tee {log:q} >&2"


# The same on a GPU.
use rule train as train_cuda with:
    wildcard_constraints:
        setting=ON_CUDA,
    resources:
        runtime=minutes,
        mem_mb=mebibytes,
        gpu=1,
        gpu_share=1,


ruleorder: train_cuda > train
