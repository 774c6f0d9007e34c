"""Evaluation: predictions against ground truth."""
