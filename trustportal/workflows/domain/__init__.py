"""What a workflow is and what follows from an action: pure, from facts to plans."""
