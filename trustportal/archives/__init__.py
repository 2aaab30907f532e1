"""What a trust takes away: everything that it owns in one file, and the records of cases after two people agreed."""
