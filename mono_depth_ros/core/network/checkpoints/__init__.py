"""Checkpoints: which there are, where they lie, and what is read from them.

`table` and `store` answer without importing torch; `state` reads a file for the network.
"""
