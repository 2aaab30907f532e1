"""Reading an existing policy (Word, PDF, plain text) into a header and clauses, and correcting what was read.

`files` is the door: it tells a file by its content, refuses what cannot be read, and reads within limits. `word` and
`pages` (PDF) turn a file into `blocks`, `layout` turns blocks into lines, and from there all three formats are read
alike: `text`, `front`, `body`, `doubts` make the `reading`. `accounting` counts that no word is missing,
`corrections` changes a reading as a person asks, `tree` turns it into clauses. `archives` unpacks a ZIP of many.
Nothing here saves anything.
"""
