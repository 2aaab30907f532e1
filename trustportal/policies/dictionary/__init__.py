"""The dictionary that lint looks things up in: `records.yaml` is the data, `loading` reads it."""
