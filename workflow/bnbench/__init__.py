"""bnbench: does batch normalization help or hurt here? Statistics over many seeds.

The package has eight rooms, the sub-packages, each with one purpose. Above them stand the steps of the road (`train`,
`collect`, `compare`, `plot`, `report`) and the doors (`cli`, `snakefile`, `forecast`). Below them lies the ground that
all share (`vocabulary`, `errors`, `streams`, `epochs`). Imports point down. docs/architecture.md shows the whole house.
"""

__version__ = "0.4.0"
