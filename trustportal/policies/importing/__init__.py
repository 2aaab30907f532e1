"""Reading an existing policy into a header and clauses, and correcting what was read. Pure: text in, `Reading` out.

`text` reads, `reading` holds the result, `corrections` changes it as a person asks, `tree` turns it into clauses.
"""
