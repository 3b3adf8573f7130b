"""setuptools backend that asks for mypy only when a C compiler is on this machine."""

import os
import shutil

from setuptools import build_meta as _setuptools
from setuptools.build_meta import *  # noqa: F403


def _can_compile():
    compiler = os.environ.get("CC", "").split()[:1] or ["cc"]
    return os.environ.get("EXCHANGE_PURE") != "1" and bool(shutil.which(compiler[0]) or shutil.which("gcc"))


def get_requires_for_build_wheel(config_settings=None):
    needs = _setuptools.get_requires_for_build_wheel(config_settings)
    return needs + (["mypy>=2.1,<3"] if _can_compile() else [])


def build_editable(*args, **kwargs):
    os.environ["EXCHANGE_PURE"] = "1"  # a stale .so next to an edited .py would win silently
    return _setuptools.build_editable(*args, **kwargs)
