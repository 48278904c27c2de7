"""Answers questions about revision graphs as Alembic does.

Reads a JSON document a line on stdin and writes one for each on stdout:

    {"revisions": [{"id", "parents": [], "depends_on": [], "labels": []}], "rows": [], "questions": [["upgrade", "head"]]}
    {"graph": {...}, "answers": [{"rows": [], "steps": []} or {"ids": []} or {"error": "..."}]}

The order of the revisions is that in which Alembic would read their files.
"""

import json
import sys
import warnings

from alembic.runtime.migration import HeadMaintainer
from alembic.script.base import ScriptDirectory
from alembic.script.revision import Revision
from alembic.script.revision import RevisionMap


class Module:
    """What a step wants to call."""

    def upgrade(self):
        pass

    def downgrade(self):
        pass


class Script(Revision):
    module = Module()
    doc = ""


class Rows(HeadMaintainer):
    """The version table, without a database."""

    def __init__(self, rows):
        self.heads = set(rows)

    def _insert_version(self, version):
        assert version not in self.heads
        self.heads.add(version)

    def _delete_version(self, version):
        self.heads.remove(version)

    def _update_version(self, from_, to_):
        assert to_ not in self.heads
        self.heads.remove(from_)
        self.heads.add(to_)


def directory(revisions):
    scripts = [
        Script(
            given["id"],
            tuple(given["parents"]) or None,
            dependencies=tuple(given["depends_on"]) or None,
            branch_labels=tuple(given["labels"]) or None,
        )
        for given in revisions
    ]
    found = ScriptDirectory.__new__(ScriptDirectory)
    found.__dict__["revision_map"] = RevisionMap(lambda: iter(scripts))
    return found


def graph(scripts):
    known = scripts.revision_map
    known._revision_map
    revisions = {item.revision: item for item in known._revision_map.values() if item is not None}.values()
    return {
        "heads": sorted(known.heads),
        "effective_heads": sorted(known._real_heads),
        "bases": sorted(known.bases),
        "branch_points": sorted(item.revision for item in revisions if item.is_branch_point),
        "merges": sorted(item.revision for item in revisions if item.is_merge_point),
        "labels": {item.revision: sorted(item.branch_labels) for item in revisions},
    }


def run(scripts, rows, steps):
    table = Rows(rows)
    taken = []
    for step in steps:
        table.update_to_step(step)
        taken.append(step.revision.revision if hasattr(step, "revision") else None)
    return {"rows": sorted(table.heads), "steps": taken}


def answer(scripts, rows, question):
    what, *targets = question
    rows = tuple(rows)
    if what == "resolve":
        found = scripts.get_revisions(targets[0])
        return {"ids": sorted({item.revision for item in found if item is not None})}
    if what == "upgrade":
        return run(scripts, rows, scripts._upgrade_revs(targets[0] if len(targets) == 1 else tuple(targets), rows))
    if what == "downgrade":
        return run(scripts, rows, scripts._downgrade_revs(targets[0], rows))
    if what == "stamp":
        return run(scripts, rows, scripts._stamp_revs(tuple(targets), rows))
    if what == "history":
        lower, upper = targets
        found = scripts.walk_revisions(base=lower or "base", head=upper or "heads")
        return {"ids": sorted(item.revision for item in found)}
    raise ValueError(what)


def main():
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        asked = json.loads(line)
        scripts = directory(asked["revisions"])
        said = {"graph": graph(scripts), "answers": []}
        for question in asked["questions"]:
            try:
                said["answers"].append(answer(scripts, asked["rows"], question))
            except Exception as error:
                said["answers"].append({"error": f"{type(error).__name__}: {error}"})
        print(json.dumps(said), flush=True)


main()
