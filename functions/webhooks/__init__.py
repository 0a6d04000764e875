"""Facts to the systems of owners that want to be told."""
