"""The agent that runs beside the power-line bridge: it asks, guards and reports, and opens no port."""
