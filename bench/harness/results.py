# SPDX-License-Identifier: MIT
"""The file of a run: what was measured, on what, and what could not be. Written after each turn,
so that a run that is interrupted leaves what it has."""

import json
import os

FORMAT = 1


class Results:
    """rows: {name: {"title", "version", "outer", "skipped"}}, in order; series: {name: {"title",
    "skipped"}}; samples: as stats.py has them; troubles: what failed in a turn."""

    def __init__(self, path, head):
        self.path = path
        self.head = {"format": FORMAT, **head}
        self.rows, self.series, self.samples, self.troubles = {}, {}, [], []
        self.complete = False

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            whole = json.load(file)
        if whole.get("format") != FORMAT:
            raise ValueError(f"{path}: format {whole.get('format')}, known is {FORMAT}")
        results = cls(path, {})
        for name in ("rows", "series", "samples", "troubles", "complete"):
            setattr(results, name, whole.pop(name))
        results.head = whole
        return results

    def save(self):
        whole = {
            **self.head,
            "complete": self.complete,
            "rows": self.rows,
            "series": self.series,
            "troubles": self.troubles,
            "samples": self.samples,
        }
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(f"{self.path}.new", "w", encoding="utf-8") as file:
            json.dump(whole, file, indent=1)
            file.write("\n")
        os.replace(f"{self.path}.new", self.path)

    def add(self, turn, figures):
        self.samples.append(
            {"round": turn.round, "series": turn.series.name, "row": turn.row.name, **figures}
        )

    def trouble(self, turn, step, text):
        self.troubles.append(
            {
                "round": turn.round,
                "series": turn.series.name,
                "row": turn.row.name,
                "step": step,
                "text": text,
            }
        )

    def ran(self, series):
        """The rows that have a sample in `series`, in their order."""
        seen = {s["row"] for s in self.samples if s["series"] == series and len(s) > 3}
        return [name for name in self.rows if name in seen]
