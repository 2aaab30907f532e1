"""The forms of workflows: those that a definition describes, and those of the portal's own pages. Shape only."""
