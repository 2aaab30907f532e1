"""Use cases of workflows: defining them, starting and acting in cases, giving them out, the register of accounts."""
