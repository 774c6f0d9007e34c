"""Outputs: one function each, from inverse depth to what is published."""
