"""Workflow definitions and the cases that run on them. Nothing lives here yet: the package marks the highest floor."""
