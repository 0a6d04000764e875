"""What is kept of a site's changes beside its configurations: who made which revision, and when."""

from dataclasses import dataclass

from epspot.registry.kinds import Kind


def of_site(site: str) -> str:
    """Key what is listed by site."""
    return f"SITE#{site}"


@dataclass(frozen=True, slots=True)
class SiteRevision:
    """That somebody has made a revision of a site."""

    site: str
    revision: int
    at: float
    by: str
    what: str
    """Such as ``site.changed``."""
    version: int = 0


SITE_REVISION = Kind("REVISION", SiteRevision, under=lambda r: of_site(r.site), id=lambda r: revision_id(r.revision))


def revision_id(revision: int) -> str:
    """Name a revision so that names are in the order of numbers."""
    return f"{revision:08d}"
