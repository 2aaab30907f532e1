"""Every read of workflows and cases."""
