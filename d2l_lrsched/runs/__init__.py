"""Experiments, the records of their runs, and how runs are made."""
