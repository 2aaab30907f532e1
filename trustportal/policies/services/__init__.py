"""The use cases of policies, one function each: drafts, submitting, deciding, publishing, a school's answers."""
