"""Everything that a config may name: tasks, norms, optimizers, schedules, activations and losses.

Other rooms take the registries (`registries.REGISTRIES`, `activations.ACTIVATIONS`, `losses.LOSSES`), what `parameters`
and `sources` read from their classes, and `tasks.of`. This room imports only the ground: `vocabulary`, `errors`,
`extras`, `streams` and `epochs`. No torch.
"""
