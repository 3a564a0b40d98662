#!/bin/bash
# Snakemake as a job, for clusters on whose login nodes nothing may run. In the folder of the clone:
#   sbatch workflow/profiles/slurm/head.sh --configfile workflow/studies/question.yaml
# More options of Snakemake may follow. Give the same command again to continue.
#SBATCH --job-name=bnbench-head
#SBATCH --partition=cpu           # one that lets jobs run for long
##SBATCH --account=my-account     # remove the first #, if your cluster demands an account
#SBATCH --time=2-00:00:00         # the longest that the partition allows
#SBATCH --cpus-per-task=2         # the steps that make the report run in this job
#SBATCH --mem=4G
#SBATCH --signal=B:INT@300        # five minutes before the time limit, Snakemake cancels its jobs and ends
#SBATCH --output=bnbench-head-%j.log
set -euo pipefail
export PATH="$PWD/.venv/bin:$PATH"
exec snakemake --workflow-profile workflow/profiles/slurm "$@"
