"""The pure heart of policies: trees of clauses, resolving, rebasing, comparing, approving.

Facts go in, a plan comes out, or `RuleBroken`. No framework, no clock, no chance, no environment.
Read `clauses` first (the tree and its numbers), then `resolve` (template + answers + values -> what one place's
policy says), `rebase` (what a new template version does to a school's answers), `diff`, `changes` and `approval`.
"""
