"""The figures: a table in, a drawn figure out, all in one style.

A figure is drawn by the module that has its name: the forest plot by `forest`. The step `plot` takes `style.set_style`
and `drawing.draw`; the page takes `colours`. This room imports the wording, the store, the plan and the ground. It
computes no statistics and does not import torch.
"""
