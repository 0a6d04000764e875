"""What the user pool asks: who may sign in by a code, and what its mails say."""
