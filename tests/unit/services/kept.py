"""A yard that keeps its journal, with a little past of its own."""

import json

from epspot.control.effects import Step
from epspot.control.events import Event
from epspot.control.journal import Entry, entry_in, entry_of, line_of
from epspot.control.state import Plug
from tests.unit.domain.world import Yard, outlet, site


class Kept(Yard):
    """A yard that keeps its journal, as it is read back."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        by_itself = outlet("b", phase=None, autostart=True, paid_by="outlet")
        super().__init__(site(outlet("a", phase=None), by_itself, outlet("c")))

    def do(self, event: Event) -> Step:
        before = self.live
        done = super().do(event)
        if (entry := entry_of(self.site, before, event, done)) is not None:
            self.entries.append(entry_in(json.loads(line_of(entry))))
        return done

    def let_happen(self) -> "Kept":
        """Let ``a`` charge and stop, let ``b`` do so by itself six minutes later, and nothing come to ``c``."""
        self.loads["a"].current_a = 10.0
        self.loads["b"].plug = self.loads["c"].plug = Plug.NONE
        self.start("a")
        self.start("c")
        self.run(300)
        self.loads["b"].plug = Plug.ASKING
        self.run(60)
        for o, wh in (("a", 700), ("b", 300)):
            self.loads[o].energy_wh += wh
            self.loads[o].plug, self.loads[o].current_a = Plug.NONE, 0.0
        self.run(120)
        return self
