"""What the suites of the ports share."""

from tests.contracts.houses import account, house, tables

__all__ = ["account", "house", "tables"]
