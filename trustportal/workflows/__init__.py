"""Workflow definitions and the cases that run on them: requests, meetings, concerns, and the register of accounts."""
