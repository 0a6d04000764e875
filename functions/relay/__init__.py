"""Table stream to bus."""
