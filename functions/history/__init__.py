"""Facts to the history of sessions."""
