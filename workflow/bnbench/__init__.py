"""bnbench: does batch normalization help or hurt here? Statistics over many seeds.

The modules follow the road of the data, one a step: config → study → train → collect → compare → figures → report.
"""

__version__ = "0.1.0"
