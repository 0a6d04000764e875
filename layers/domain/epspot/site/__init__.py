"""What stands in the ground, and what its owner has set."""

from epspot.site.model import MAX_OUTLETS, Site
from epspot.site.network import Network
from epspot.site.parts import NONE_A, PHASES, Amperes, Fuse, Outlet, Policy
from epspot.site.rules import Cap, GuardLimits, PeakTariff, Principle, Window

__all__ = [
    "MAX_OUTLETS",
    "NONE_A",
    "PHASES",
    "Amperes",
    "Cap",
    "Fuse",
    "GuardLimits",
    "Network",
    "Outlet",
    "PeakTariff",
    "Policy",
    "Principle",
    "Site",
    "Window",
]
