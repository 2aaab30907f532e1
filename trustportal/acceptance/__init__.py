"""Acceptance: campaigns, assignments and signatures."""
