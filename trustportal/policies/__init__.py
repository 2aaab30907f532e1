"""Policies: clauses, template versions, overrides, editions, approval, change log, PDF and public pages."""
