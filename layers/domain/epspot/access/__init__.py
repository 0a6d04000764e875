"""Who may do what, where and when."""

from epspot.access.grants import Grant, Validity, allows
from epspot.access.roles import CAPABILITIES, Capability, Role
from epspot.access.scopes import Chain, Level, Scope, group_scope

__all__ = [
    "CAPABILITIES",
    "Capability",
    "Chain",
    "Grant",
    "Level",
    "Role",
    "Scope",
    "Validity",
    "allows",
    "group_scope",
]
