# bnbench: does batch normalization help or hurt here?
#
#   snakemake -n                            say what would run
#   snakemake --cores 8                     run the study in config.yaml
#   snakemake --cores 8 --config seeds=50   change a top-level key of it
#   snakemake --cores 8 --configfile workflow/studies/question.yaml   run another study
#
# results/<losses|trials|predictions>/<setting>/seeds-<first>-<last>.parquet   one chunk of seeds of one setting
# (or under $BNBENCH_RESULTS; with preregistration/ beside them, and checkpoints/ while they train)
# reports/<study>/{data,tables,figures}/…, verdicts.json, index.html           what is made of them
#
# A setting's name ends in a hash of everything that changes its numbers: what lies under it is never out of date.
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"


# Where the image will lie; without `--sdm apptainer` Snakemake does not look for it.
container: snakefile.image()


include: "workflow/rules/train.smk"
include: "workflow/rules/collect.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/report.smk"


onstart:
    snakefile.before_the_first_job(STUDY, workflow)


onerror:
    snakefile.after_an_error(STUDY, workflow)


# The text on which `snakemake --report` opens: the answer, as the page has it.
report: os.path.abspath(f"{REPORT}/landing.rst")


rule all:
    default_target: True
    input:
        rules.collect.output,
        rules.compare.output,
        rules.plot.output,
        rules.report.output,
    localrule: True
