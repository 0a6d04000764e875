"""The life of a session and its metering."""
