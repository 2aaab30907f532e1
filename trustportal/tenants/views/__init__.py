"""Pages of trusts, schools, people and sign-in."""
