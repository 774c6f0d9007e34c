"""Checkpoints: table, local store, download, and state of the network.

`table` and `store` do not import torch.
"""
