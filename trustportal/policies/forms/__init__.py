"""The forms of policies: fields and their shape; the rules are in the domain."""
