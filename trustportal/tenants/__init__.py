"""Trusts, schools, people and memberships; signing in; the settings of a trust."""
