"""Who may call what, as a table: made from the operations, for docs/access.md."""

from collections.abc import Mapping

from epspot.access import CAPABILITIES, Role
from functions.api.operations import OPERATIONS, Operation

ROLES = tuple(Role)
WHERE: Mapping[str, str] = {
    Role.OWNER_ADMIN: "owner",
    Role.SITE_ADMIN: "site",
    Role.MAINTENANCE: "site",
    Role.FINANCE: "owner",
    Role.USER: "site",
}
"""The scope on which each role is usually given, and for which the table holds."""


def table() -> str:
    """Make the table in Markdown: a line for each operation, in the order of paths."""
    head = ["operation", "takes", "on", *(r.value for r in ROLES), "guest"]
    lines = [head, ["---"] * len(head)]
    lines += [_line(op) for op in sorted(OPERATIONS, key=lambda o: (o.path, o.method))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(op: Operation) -> list[str]:
    if op.needs is None:
        own = ["own"] * len(ROLES)
        return [
            f"`{op.method} {op.path}`",
            "-",
            "-",
            *(["yes"] * len(ROLES) if op.guests else own),
            "yes" if op.guests else "no",
        ]
    rights = [
        "yes" if op.needs in CAPABILITIES[r] and (op.on != "owner" or WHERE[r] == "owner") else "no" for r in ROLES
    ]
    return [f"`{op.method} {op.path}`", op.needs.value, op.on or "-", *rights, "no"]
