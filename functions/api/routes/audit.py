"""The audit log: who changed what, when, from what to what."""

from typing import Any

from epspot.access import Capability
from epspot.registry.records import AUDIT_LINE, of_audit
from functions.api.calls import Call, page
from functions.api.operations import operation
from functions.api.render import sites as render


@operation(
    "GET",
    "/v1/owners/{owner}/audit",
    "Read the audit log, the newest first",
    tag="Owners",
    needs=Capability.ADMINISTER,
    on="owner",
    answer="AuditLines",
    paged=True,
)
def list_audit_lines(call: Call) -> Any:
    """List the lines of an owner's audit log; nobody can change them."""
    found = call.world.registry.under(AUDIT_LINE, of_audit(call.here.owner), call.limit, call.cursor, newest_first=True)
    return page([render.audit_line(a) for a in found.items], found.next)
