"""Reads and writes every table and file of a study, reuses earlier chunks, and records provenance.

Other rooms take `tables`, `files`, `chunk_files`, `trials`, `reuse`, `stamps`, `schemas` and `provenance`. This room
imports the plan, the catalogue and the ground.
"""
