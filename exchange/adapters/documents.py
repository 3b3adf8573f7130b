"""Documents a user keeps (layouts, watchlists, settings): one JSON file per kind, written whole.

HOME/documents/KIND.json is an object of key -> document.  A write that is interrupted leaves the
old file.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, Final

from exchange.errors import DataError, JournalFailed, NotFound

FOLDER: Final = "documents"
KIND_LENGTH_MAX: Final = 40
KEY_LENGTH_MAX: Final = 100
KEYS_MAX: Final = 1_000  # of one kind
SIZE_MAX: Final = 1 << 20  # bytes of one document
LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


class JsonDocuments:
    """Documents below one home folder.  Threads take turns; processes must not share a home."""

    names: Final = frozenset({"document", "documents"})

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._lock = threading.Lock()

    def save(self, kind: str, key: str, document: dict[str, Any] | None) -> None:
        """Durable on return; None deletes.  Raises DataError for what is no document, JournalFailed
        when the disk refuses."""
        path = self._path(kind)
        if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isprintable():
            raise DataError(f"a document's key is 1 to {KEY_LENGTH_MAX} printable characters")
        if document is not None:
            _check(document)
        with self._lock:
            kept = _read(path)
            if document is None:
                if kept.pop(key, None) is None:
                    return
            else:
                kept[key] = document
            if len(kept) > KEYS_MAX:
                raise DataError(
                    f"there are {KEYS_MAX} documents of the kind {kind} already; delete one first"
                )
            try:
                _write(path, kept)
            except OSError as error:
                raise JournalFailed(f"{path} cannot be written: {error.strerror}") from error

    def query(self, name: str, **params: Any) -> Any:
        """``document`` by kind and key: the document.   ``documents`` by kind: rows of key and document.

        Raises NotFound, DataError.
        """
        wanted = {"kind", "key"} if name == "document" else {"kind"}
        if set(params) != wanted or not all(isinstance(value, str) for value in params.values()):
            raise DataError(f"query {name} takes {' and '.join(sorted(wanted))}, as text")
        path = self._path(params["kind"])
        with self._lock:
            kept = _read(path)
        if name == "documents":
            return [{"key": key, "document": kept[key]} for key in sorted(kept)]
        if params["key"] not in kept:
            raise NotFound(f"there is no document {params['key'][:40]!r} of the kind {params['kind']}")
        return kept[params["key"]]

    def _path(self, kind: str) -> Path:
        if not 0 < len(kind) <= KIND_LENGTH_MAX or set(kind) - LETTERS:
            raise DataError("a document's kind is 1 to 40 lower-case letters, digits, '_' and '-'")
        return self._folder / f"{kind}.json"


def _check(document: dict[str, Any]) -> None:
    try:
        size = len(json.dumps(document, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"the document has no JSON: {error}") from None
    if size > SIZE_MAX:
        raise DataError(f"the document has {size} bytes, the limit is {SIZE_MAX}")


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise JournalFailed(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}; repair or remove it", str(path)) from None
    if not isinstance(kept, dict):
        raise DataError("not an object of documents; repair or remove it", str(path))
    return kept


def _write(path: Path, kept: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
        file.write(json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False).encode())
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
