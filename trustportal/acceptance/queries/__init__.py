"""Every read of acceptance: what a plan needs (`facts`), what is mine (`mine`), how far a campaign is (`progress`)."""
