# One job: all seeds of one chunk of one setting, side by side.
rule train:
    output:
        losses="results/losses/{setting}/seeds-{first}-{last}.parquet",
        trials="results/trials/{setting}/seeds-{first}-{last}.parquet",
        predictions="results/predictions/{setting}/seeds-{first}-{last}.parquet",
    log:
        "logs/train/{setting}/seeds-{first}-{last}.log",
    threads: STUDY.config["threads"]
    params:
        setting=setting_json,
    shell:
        "python -m bnbench train --setting {params.setting:q} --first {wildcards.first} --last {wildcards.last}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
