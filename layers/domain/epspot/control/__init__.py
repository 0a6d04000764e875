"""Who may draw how much, now: state, events, one pure step, and everything that it is made of."""
