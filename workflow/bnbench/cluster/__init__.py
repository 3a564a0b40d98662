"""Knows the cluster: what its profile asks for, what SLURM says of partitions and jobs, and what stands in the way.

Other rooms take `profile`, `commands` and `partitions`. This room imports the plan, the store and the ground.
"""
