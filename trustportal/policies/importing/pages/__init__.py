"""PDF files with a text layer: words on pages, furniture told apart, lines healed, then lines of a policy."""
