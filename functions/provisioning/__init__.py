"""How a bridge becomes one of ours."""
