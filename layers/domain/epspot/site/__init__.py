"""What stands in the ground."""

from epspot.site.model import MAX_OUTLETS, Site
from epspot.site.network import Network
from epspot.site.parts import NONE_A, PHASES, Amperes, Fuse, Outlet, Policy

__all__ = ["MAX_OUTLETS", "NONE_A", "PHASES", "Amperes", "Fuse", "Network", "Outlet", "Policy", "Site"]
