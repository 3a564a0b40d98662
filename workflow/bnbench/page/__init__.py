"""The HTML: the page of a study and the page of the claims, each one self-contained file.

`rows` makes the cells, `tables` makes tables of them. The step `report` takes `study_page.render`, the command
`bnbench claims` takes `claims_page.run`. This room imports the figures' colours, the wording, the judge, the store,
the plan and the ground. It does not import torch.
"""
