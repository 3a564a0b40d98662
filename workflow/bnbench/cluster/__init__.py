"""The cluster: what the profile requests, and what SLURM says about partitions and jobs.

Other rooms take `profile`, `commands` and `partitions`. This room imports the plan, the store and the ground.
"""
