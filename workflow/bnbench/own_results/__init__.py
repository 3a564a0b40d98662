"""Reads the results of runs that were trained elsewhere into one long table, and says how it read the columns.

The plan takes `reading`, which finds seeds, epochs, factors and outcomes in a table; `files` chooses the reader of a
file or a folder. This room imports only the ground. It judges nothing.
"""
