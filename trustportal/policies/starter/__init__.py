"""What a new trust starts with: a social media policy in clauses, and a demonstration trust that uses it.

The words are in the YAML files; `loading` reads them and stores nothing.
"""
