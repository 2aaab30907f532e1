"""Decisions of acceptance: who is asked to sign what, when they are reminded, and what a signature proves. Pure."""
