"""The figures: a table in, a drawn figure out, all in one style.

The step `plot` takes `style.set_style` and `loss_figures.draw`; the page takes `colours`. This room imports the
wording, the store, the plan and the ground. It computes no statistics and does not import torch.
"""
