"""From numbers to words: names, number formats, sentences, captions, methods and alternative texts.

Other rooms take `contents`, which lists the tables and figures of a report, and the functions that turn a row of
numbers into text. This room computes nothing. It imports the judge, the store, the plan, the catalogue and the ground.
"""
