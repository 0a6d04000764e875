"""The site on the terminal."""

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, Group
from rich.layout import Layout
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from epspot.control.state import Phase
from epspot.ports import Notice
from infra.local.observer import Observer
from infra.local.trondheim import CREDIT

_HOT, _FULL = 0.8, 1.0
_FUSES, _SESSIONS, _QUEUE, _MESSAGES = 21, 20, 10, 10

_WIDTH, _HEIGHT = 132, 40
_SVG = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Rich's own form, less the fonts that it would fetch from elsewhere."""

_COLOURS = {
    Phase.PLANNED: "blue",
    Phase.QUEUED: "yellow",
    Phase.PAUSED: "cyan",
    Phase.ACTIVE: "green",
    Phase.STOPPING: "magenta",
    Phase.ENDED: "dim",
}


def draw(observer: Observer, clock: str, note: str) -> Layout:
    """Draw the whole site; ``clock`` is the recorded time that is being replayed, ``note`` stands above."""
    layout = Layout()
    layout.split_column(
        Layout(_head(observer, clock, note), size=3), Layout(name="middle"), Layout(name="bottom", size=_MESSAGES + 2)
    )
    layout["middle"].split_row(Layout(_fuses(observer)), Layout(_sessions(observer), ratio=2))
    layout["bottom"].split_row(Layout(_queue(observer)), Layout(_messages(observer), ratio=2))
    return layout


def line(observer: Observer, clock: str) -> str:
    """Say the same in one line, for a terminal that can't be drawn on."""
    t = observer.tally
    main = observer.site.main
    drawn = max(observer.drawn_a[:3])
    return (
        f"{clock}  main fuse {drawn:5.1f} of {min(main.rating_a):g} A  "
        f"{len(observer.live.sessions):2d} sessions, {observer.waiting():2d} waiting, {len(t.ended):3d} ended, "
        f"{t.energy_wh:5d} Wh, {t.guard_trips} guard trips, {sum(t.broken.values())} violations"
    )


def save(observer: Observer, clock: str, file: Path) -> None:
    """Keep the picture as SVG."""
    console = Console(record=True, width=_WIDTH, height=_HEIGHT, file=StringIO(), force_terminal=True)
    console.print(draw(observer, clock, ""))
    file.write_text(console.export_svg(title="make run", code_format=_SVG), encoding="utf-8")


def _head(observer: Observer, clock: str, note: str) -> Panel:
    t = observer.tally
    broken = sum(t.broken.values())
    text = Text.assemble(
        (observer.site.name, "bold"),
        f"  {clock}   ",
        (f"{len(t.started)} started", "green"),
        "  ",
        (f"{len(t.queued)} queued", "yellow"),
        f"  {len(t.ended)} ended  {t.energy_wh} Wh  ",
        (f"{t.guard_trips} guard trips", "red" if t.guard_trips else "dim"),
        "  ",
        (f"{broken} violations", "bold red" if broken else "dim"),
    )
    return Panel(text, title=note or None, subtitle=CREDIT)


def _fuses(observer: Observer) -> Panel:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(ratio=1)
    table.add_column(width=18)
    table.add_column(justify="right", width=12)
    loads = [
        (max(observer.drawn_a[3 * i : 3 * i + 3]) / min(f.rating_a), i == 0, f)
        for i, f in enumerate(observer.site.fuses)
    ]
    for share, _, f in sorted(loads, key=lambda row: (not row[1], -row[0]))[:_FUSES]:
        colour = "red" if share > _FULL else "yellow" if share > _HOT else "green"
        bar = ProgressBar(total=1.0, completed=min(share, 1.0), width=18, complete_style=colour)
        rating = min(f.rating_a)
        table.add_row(f.id, bar, f"{share * rating:.1f}/{rating:g} A")
    return Panel(table, title="fuses: load of the fullest phase")


def _sessions(observer: Observer) -> Panel:
    table = Table(box=None, expand=True, pad_edge=False)
    for name, justify in (
        ("outlet", "left"),
        ("state", "left"),
        ("may", "right"),
        ("draws", "right"),
        ("because", "left"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # a literal in a tuple
    live = observer.live
    shown = sorted(live.sessions.values(), key=lambda s: (s.phase is Phase.QUEUED, s.since))
    for s in shown[:_SESSIONS]:
        outlet, state = observer.site.outlet[s.outlet], live.outlets[s.outlet]
        told = live.readings.get(outlet.bridge)
        reading = None if told is None else told.modules.get(outlet.module)
        drawn = 0.0 if reading is None else max(reading.current_a)
        table.add_row(
            outlet.number,
            Text(s.phase.value, _COLOURS[s.phase]),
            f"{state.limit_a:.1f} A",
            f"{drawn:.1f} A",
            s.end.value if s.end else state.reason,
        )
    more = len(shown) - _SESSIONS
    return Panel(table, title="sessions", subtitle=f"and {more} more" if more > 0 else None)


def _queue(observer: Observer) -> Panel:
    table = Table.grid(padding=(0, 1))
    waiting = sorted((s for s in observer.live.sessions.values() if s.position), key=lambda s: (s.position, s.since))
    for s in waiting[:_QUEUE]:
        table.add_row(str(s.position), observer.site.outlet[s.outlet].number, observer.live.outlets[s.outlet].reason)
    return Panel(table if waiting else Text("nobody waits", "dim"), title=f"queue: {len(waiting)}")


def _messages(observer: Observer) -> Panel:
    names = observer.site.outlet
    recent = list(observer.messages)[-_MESSAGES:]
    return Panel(Group(*(Text(_sentence(n, lambda o: names[o].number)) for n in recent)), title="messages")


def _sentence(notice: Notice, number: Callable[[str], str]) -> str:
    fact = notice.fact
    told, outlet = fact.detail, str(fact.detail.get("outlet", ""))
    match fact.kind:
        case "session.ended":
            what = f"ended, {told['reason']}, {told['energy_wh']} Wh"
        case "session.queued" | "session.waiting" | "session.moved":
            what = f"waits for {told['reason']}, number {told['position']}"
        case "session.active":
            what = "has its turn"
        case "session.stopping":
            what = f"stops, {told['reason']}"
        case "guard.tripped":
            outlet, what = fact.about, f"power guard ({told['rule']})"
        case "alarm.raised" | "alarm.cleared":
            what = f"{fact.kind}, {told['code']}"
        case _:
            what = fact.kind
    return f"{number(outlet) if outlet else fact.about}: {what}"
