"""Word files (.docx): the package opened with care, numbering and styles resolved, paragraphs, then lines."""
