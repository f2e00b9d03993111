"""The stored runs that the explorer looks for, read without waiting for MXNet."""

from __future__ import annotations

from pathlib import Path

from d2l_lrsched.runs.record import Run, read

#: Environment variable: the folder of the records, from the command to the page's kernel.
FOLDER_VARIABLE = "D2L_LRSCHED_RECORDS"
RECORDS = "*/runs.jsonl"


def read_runs(folder: Path) -> list[Run]:
    """Return the runs of the records in the folders of `folder`, if there are any.

    Raises
    ------
    StoreError
        If one of the files is damaged.
    """
    return [run for path in sorted(folder.glob(RECORDS)) for run in read(path)]
