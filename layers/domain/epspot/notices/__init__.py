"""What is told to whom, in Swedish and in English."""
