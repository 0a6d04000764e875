"""What is known of the hours to come."""
