"""The only room that imports torch: it trains a chunk of seeds and measures its losses.

The step `train` takes `chunk.train`, `chunk.trial_tables`, `checkpoints` and `devices`; nobody else imports anything
from here. This room imports the store, the plan, the catalogue and the ground.
"""
