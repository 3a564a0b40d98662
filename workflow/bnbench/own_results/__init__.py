"""Reads the results of runs that were trained elsewhere into one long table, and says what it took for what.

The plan takes `reading`, which finds seeds, epochs, factors and outcomes in a table; `files` chooses the reader of a
file or a folder. This room imports the ground alone. It judges nothing.
"""
