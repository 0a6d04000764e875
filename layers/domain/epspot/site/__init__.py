"""What stands in the ground, and what its owner has set."""

from epspot.site.model import MAX_OUTLETS, Site
from epspot.site.network import Network
from epspot.site.parts import KINDS, NONE_A, PHASES, Amperes, Fuse, Group, Outlet, Policy, Station
from epspot.site.planned import is_planned, planned_at
from epspot.site.rules import Cap, GuardLimits, PeakTariff, Principle, Window

__all__ = [
    "KINDS",
    "MAX_OUTLETS",
    "NONE_A",
    "PHASES",
    "Amperes",
    "Cap",
    "Fuse",
    "Group",
    "GuardLimits",
    "Network",
    "Outlet",
    "PeakTariff",
    "Policy",
    "Principle",
    "Site",
    "Station",
    "Window",
    "is_planned",
    "planned_at",
]
