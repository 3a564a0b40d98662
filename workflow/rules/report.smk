# The figures, and the page that shows them.
rule plot:
    input:
        rules.compare.output,
    output:
        **{
            name: report(
                f"{REPORT}/figures/{name}.svg",
                caption=f"../captions/{name}.rst",
                category="Figures",
                labels={"figure": title},
            )
            for name, title in contents.figures(STUDY).items()
        },
        narrow=[
            f"{REPORT}/figures/{contents.narrow_name(name)}.svg"
            for name in sorted(contents.narrow(STUDY))
        ],
        png=expand(f"{REPORT}/figures/{{name}}.png", name=contents.figures(STUDY)),
    log:
        f"logs/{STUDY.name}/plot.log",
    localrule: True
    threads: 2
    params:
        package=package,
        study=study_file,
        said=said,
    shell:
        "python -m bnbench --package={params.package:q} plot --study {params.study:q} 2>&1 | tee {log:q} >&2"


# It also renews `reports/index.html`. That page belongs to all studies, so no rule can have it as an output: a run of one
# study would remove or date what another has written. Whatever finishes last lists everything that is there.
rule report:
    input:
        rules.compare.output,
        rules.plot.output,
    output:
        page=report(
            f"{REPORT}/index.html",
            caption="../captions/page.rst",
            category="Report",
            labels={"report": STUDY.name, "holds": "the whole page"},
        ),
        landing=f"{REPORT}/landing.rst",
    log:
        f"logs/{STUDY.name}/report.log",
    localrule: True
    params:
        package=package,
        study=study_file,
        said=said,
    shell:
        "python -m bnbench --package={params.package:q} report --study {params.study:q} 2>&1 | tee {log:q} >&2"
