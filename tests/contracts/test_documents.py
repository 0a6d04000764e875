"""What the documents say of keys and of each other is so."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from epspot import registry
from epspot.registry.kinds import Kind

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def kinds() -> list[Kind[Any]]:
    """List all kinds of records."""
    modules = [import_module(f"epspot.registry.{found.name}") for found in iter_modules(registry.__path__)]
    return [thing for module in modules for thing in vars(module).values() if isinstance(thing, Kind)]


def test_the_data_model_has_every_kind_of_record() -> None:
    """docs/data-model.md tells the sort key of every kind of record, and of no other."""
    model = (ROOT / "docs" / "data-model.md").read_text("utf-8")
    records = model[model.index("### Records") : model.index("## Access patterns")]
    told = re.findall(r"`pk = [^`]+`, `sk = ([A-Z]+)#[^`]*`", records)
    assert sorted(told) == sorted({kind.name for kind in kinds()})


def anchors(text: str) -> set[str]:
    """List the anchors that the headings of a document make."""
    titles = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    """Every link of a document to another file, or to a heading, finds it."""
    for path, anchor in _LINK.findall(document.read_text("utf-8")):
        target = document.parent / path if path else document
        assert target.exists(), path
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text("utf-8")), f"{path}#{anchor}"


def test_every_decision_is_listed() -> None:
    """docs/decisions/README.md leads to every decision."""
    listed = set(_LINK.findall((ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")))
    found = {(path.name, "") for path in (ROOT / "docs" / "decisions").glob("0*.md")}
    assert listed == found
