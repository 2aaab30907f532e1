"""The use cases of archives: asking and agreeing, making, taking and removing."""
