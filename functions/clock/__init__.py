"""What time alone changes."""
