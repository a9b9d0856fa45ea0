"""Files of events: JSON lines and CSV, plain or gzipped, read as a stream.

    with EventFile("shop.events.jsonl.gz") as file:
        for line, item in file:
            ...  # item is a dict for ``validate``, or the Rejection of this line
            bar.update(file.done, file.total)

A bad line costs itself only. What makes the whole file unreadable raises
:class:`~engine.errors.InputFileError`.
"""

from engine.files.event_file import EventFile
from engine.files.line_ids import LineIds
from engine.files.reading import Kind, Reading

__all__ = ["EventFile", "Kind", "LineIds", "Reading"]
