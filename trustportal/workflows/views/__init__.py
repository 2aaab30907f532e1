"""Pages of workflows, cases and the register."""
