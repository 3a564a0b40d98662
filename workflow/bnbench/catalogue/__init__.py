"""Everything that a config may name: tasks, norms, optimizers, schedules and activations, with their parameters.

Other rooms take the registries (`registries.REGISTRIES`, `activations.ACTIVATIONS`), what `parameters` reads from their
classes, and `tasks.of`. This room imports only the ground: `vocabulary`, `errors`, `streams` and `epochs`. No torch.
"""
