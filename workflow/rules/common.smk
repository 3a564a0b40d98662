# The plan: which study, which settings, which files. A pure function of the config, since every job parses this again.
import os
import sys

# Seen from this file, since another workflow may use this one as a module.
sys.path.insert(0, os.path.dirname(workflow.current_basedir))

from bnbench import snakefile
from bnbench.store import preregistration, schemas, stamps
from bnbench.wording import contents

snakefile.lend_package_to_jobs()
snakefile.lend_interpreter_to_jobs(workflow)
snakefile.name_the_user()
snakefile.keep_what_exists(workflow)
snakefile.follow_jobs(workflow)

if snakefile.needs_config_file(workflow):

    configfile: snakefile.check_or_exit("config.yaml")


RESULTS = snakefile.results_or_exit()
STUDY = snakefile.study_or_exit(workflow, config)
STUDY_FILE = snakefile.hand_over(workflow, STUDY)
SAID = snakefile.said(STUDY)
REPORT = f"reports/{STUDY.name}"
SETTINGS = {setting.address: setting for setting in STUDY.settings}
CHUNKS = [f"{chunk.setting.address}/{chunk.stem}" for chunk in snakefile.planned(STUDY)]
OWN_FILES = snakefile.own_files(STUDY)
ON_CUDA = snakefile.on_cuda(STUDY)


# Names say what files hold: of results by a hash of the setting, of a report by its marks. So parameters are none of
# Snakemake's reasons to run a job again: it takes no note of those that are made from the output.
def setting(wildcards, output):
    return snakefile.setting_or_exit(SETTINGS, wildcards).address


# Where jobs read what was planned: it may be too long for a command line.
def study_file(wildcards, output):
    return STUDY_FILE


def results_folder(wildcards, output):
    return RESULTS


# What the process that plans a run has seen: a job says where it finds something else.
def package(wildcards, output):
    return snakefile.package_of_planner()


def mark(wildcards, output):
    return snakefile.mark_of_planner()


# What the captions of Snakemake's report say.
def said(wildcards, output):
    return SAID


# How many jobs share a GPU, as the profile says; the CPU's jobs have no such resource.
def gpu_share(wildcards, output, resources):
    return resources.get("gpu_share", 1)


# What a training job asks a cluster for.
def asked(wildcards, attempt):
    setting = snakefile.setting_or_exit(SETTINGS, wildcards)
    return snakefile.asked(setting, wildcards, attempt)


def minutes(wildcards, attempt):
    return asked(wildcards, attempt).minutes


def mebibytes(wildcards, attempt):
    return asked(wildcards, attempt).mebibytes


wildcard_constraints:
    setting=r"[^/]+",
    first=r"\d+",
    last=r"\d+",
