"""Every table and file of a study: columns, reading, atomic writing, reuse of earlier chunks, and provenance.

Other rooms take `tables`, `files`, `chunk_files`, `trials`, `reuse`, `stamps`, `schemas` and `provenance`. This room
imports the plan, the catalogue and the ground.
"""
