"""Checkpoints; `table`, `store` and `download` do not import torch."""
