"""TrustPortal: one place where a multi-academy trust keeps its policies."""
