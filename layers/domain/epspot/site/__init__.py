"""What stands in the ground."""

from epspot.site.model import MAX_OUTLETS, NONE_A, Amperes, Fuse, Outlet, Policy, Site
from epspot.site.network import PHASES, Network

__all__ = ["MAX_OUTLETS", "NONE_A", "PHASES", "Amperes", "Fuse", "Network", "Outlet", "Policy", "Site"]
