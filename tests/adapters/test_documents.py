"""Documents on disk: kept, replaced, deleted; a file that is damaged or cut short is told, not hidden."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from exchange.adapters import documents
from exchange.adapters.documents import KEYS_MAX, SIZE_MAX, JsonDocuments
from exchange.errors import DataError, JournalFailed, NotFound


def read(kept: JsonDocuments, kind: str, key: str) -> Any:
    return kept.query("document", kind=kind, key=key)


def test_a_document_is_there_for_the_next_process(tmp_path: Path) -> None:
    JsonDocuments(tmp_path).save("layouts", "main", {"name": "Ünïcode", "panes": [1, None, True]})
    assert read(JsonDocuments(tmp_path), "layouts", "main") == {"name": "Ünïcode", "panes": [1, None, True]}
    path = tmp_path / "documents" / "layouts.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_rows_of_a_kind_are_sorted_by_key(tmp_path: Path) -> None:
    kept = JsonDocuments(tmp_path)
    for key in ("b", "a", "c"):
        kept.save("watchlists", key, {"key": key})
    kept.save("watchlists", "b", None)
    assert kept.query("documents", kind="watchlists") == [
        {"key": "a", "document": {"key": "a"}},
        {"key": "c", "document": {"key": "c"}},
    ]
    assert kept.query("documents", kind="layouts") == []


def test_deleting_what_is_not_there_writes_nothing(tmp_path: Path) -> None:
    JsonDocuments(tmp_path).save("layouts", "x", None)
    assert not (tmp_path / "documents").exists()


@pytest.mark.parametrize("kind", ["", "A", "a/b", "..", "a" * 41, "a\0", "a.json"])
def test_a_kind_never_leaves_the_folder(tmp_path: Path, kind: str) -> None:
    kept = JsonDocuments(tmp_path)
    with pytest.raises(DataError, match="kind"):
        kept.save(kind, "x", {})
    with pytest.raises(DataError, match="kind"):
        kept.query("documents", kind=kind)


@pytest.mark.parametrize("key", ["", "a" * 101, "a\nb", "\x1b[31m", "\ud800"])
def test_a_key_is_short_and_printable(tmp_path: Path, key: str) -> None:
    with pytest.raises(DataError, match="key"):
        JsonDocuments(tmp_path).save("layouts", key, {})


@pytest.mark.parametrize(
    "document",
    [{"a": float("nan")}, {"a": float("inf")}, {"a": object()}, {"a": "\ud800"}, {"a": "x" * SIZE_MAX}],
    ids=["nan", "inf", "object", "surrogate", "huge"],
)
def test_what_is_no_document_is_refused_and_the_old_one_stays(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    kept = JsonDocuments(tmp_path)
    kept.save("layouts", "x", {"old": 1})
    with pytest.raises(DataError, match="document"):
        kept.save("layouts", "x", document)
    assert read(kept, "layouts", "x") == {"old": 1}


def test_there_is_a_limit_to_documents_of_a_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEYS_MAX == 1_000
    monkeypatch.setattr(documents, "KEYS_MAX", 2)
    kept = JsonDocuments(tmp_path)
    kept.save("layouts", "1", {})
    kept.save("layouts", "2", {})
    kept.save("layouts", "2", {"again": 1})
    with pytest.raises(DataError, match="delete one first"):
        kept.save("layouts", "3", {})


@pytest.mark.parametrize(
    ("name", "params", "error"),
    [
        ("document", {"kind": "layouts"}, DataError),
        ("document", {"kind": "layouts", "key": 5}, DataError),
        ("document", {"kind": "layouts", "key": "x", "more": "y"}, DataError),
        ("documents", {}, DataError),
        ("documents", {"kind": "layouts", "key": "x"}, DataError),
        ("document", {"kind": "layouts", "key": "x"}, NotFound),
    ],
)
def test_questions_that_do_not_fit(
    tmp_path: Path, name: str, params: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        JsonDocuments(tmp_path).query(name, **params)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "documents" / "layouts.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"layouts.json: not .*; repair or remove it"):
        JsonDocuments(tmp_path).query("documents", kind="layouts")
    assert path.read_bytes() == content


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    kept = JsonDocuments(tmp_path)
    kept.save("layouts", "x", {"old": 1})
    (tmp_path / "documents" / "layouts.new").write_bytes(b'{"x": {"ne')
    assert read(kept, "layouts", "x") == {"old": 1}
    kept.save("layouts", "x", {"new": 1})
    assert read(kept, "layouts", "x") == {"new": 1}


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    kept = JsonDocuments(tmp_path)
    (tmp_path / "documents" / "layouts.new").mkdir(parents=True)
    with pytest.raises(JournalFailed, match=r"layouts.json cannot be written"):
        kept.save("layouts", "x", {})
    (tmp_path / "documents" / "layouts.json").mkdir()
    with pytest.raises(JournalFailed, match=r"layouts.json cannot be read"):
        kept.query("documents", kind="layouts")


def test_threads_take_turns(tmp_path: Path) -> None:
    kept = JsonDocuments(tmp_path)
    threads = [
        threading.Thread(target=kept.save, args=("layouts", f"{number}", {"n": number}))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads((tmp_path / "documents" / "layouts.json").read_text())) == 20
