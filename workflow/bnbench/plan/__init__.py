"""From a config file to a study: its settings, their addresses, the jobs that train them, and what those cost.

Other rooms take `Study`, `Setting` and `Chunk`, and from `cost` the sizes of jobs and what they request from a cluster;
the doors also take `config` and `configfile`. This room imports the catalogue and the ground. It writes no file, and
the only files that it reads are the config and the data that the config names.
"""
