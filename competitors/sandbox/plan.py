"""What a run will write: batches of items in order, made by an actor, cut by faults and caps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

Item = dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """Items that an actor writes at once (a page), and their stage (the number of the query, from 1)."""

    stage: int
    items: Sequence[Item]


@dataclass
class Plan:
    stages: int
    unit: str  # the word for one stage in progress messages: "Search"
    noun: str  # the word for its items: "reviews"
    batches: list[Batch]
    capped: bool = False  # stopped early by a cap of the start
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._totals = [0, *accumulate(len(batch.items) for batch in self.batches)]
        self.rows: list[Item] = [item for batch in self.batches for item in batch.items]

    @property
    def total(self) -> int:
        return self._totals[-1]

    def written(self, done: float) -> int:
        """Number of items in the dataset when this share of the work (0 to 1) is done."""
        return self._totals[math.floor(done * len(self.batches) + 1e-9)]

    def message(self, done: float) -> str:
        """``Search 9 of 31, 704 reviews so far``."""
        index = min(math.floor(done * len(self.batches) + 1e-9), max(0, len(self.batches) - 1))
        stage = self.batches[index].stage if self.batches else self.stages
        return f"{self.unit} {stage} of {self.stages}, {self.written(done)} {self.noun} so far"

    def cut(self, share: float) -> "Plan":
        """The plan with only this share of its items, rounded down."""
        return self._only(int(self.total * share), self.capped)

    def capped_at(self, limit: float) -> "Plan":
        """The plan, stopped at a cap. Like real actors, it still writes the batch that reaches the cap whole."""
        for index, before in enumerate(self._totals[:-1]):
            if before >= limit and self.batches[index].items:
                return Plan(self.stages, self.unit, self.noun, self.batches[:index], capped=True, log=self.log)
        return self

    def _only(self, count: int, capped: bool) -> "Plan":
        batches = []
        for batch, before in zip(self.batches, self._totals, strict=False):
            if before >= count:
                break
            batches.append(Batch(batch.stage, batch.items[: count - before]))
        return Plan(self.stages, self.unit, self.noun, batches, capped, self.log)
