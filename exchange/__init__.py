"""A deterministic exchange: one function from records to events, and what stands around it.

``EXCHANGE_PURE=1`` runs the plain ``.py`` files of the core even where compiled ones sit beside
them; both give the same digests.
"""

import os
import sys

__version__ = "0.1.0"

if os.environ.get("EXCHANGE_PURE") == "1":
    from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader

    for _folder in ("core", "core/state", "core/rules", "conformance"):
        _path = os.path.join(os.path.dirname(__file__), *_folder.split("/"))  # noqa: PTH118, PTH120
        sys.path_importer_cache[_path] = FileFinder(_path, (SourceFileLoader, SOURCE_SUFFIXES))


def is_compiled() -> bool:
    """Does the core run as compiled code?"""
    import exchange.core.engine as engine

    return not str(engine.__file__).endswith(".py")
