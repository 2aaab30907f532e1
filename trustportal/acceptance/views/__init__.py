"""Pages of acceptance."""
