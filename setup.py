"""Compile the hot core with mypyc when a C compiler works; otherwise install the same files as they are."""

import os
import sys

from setuptools import setup

HOT = [
    "exchange/core/units.py",
    "exchange/core/instrument.py",
    "exchange/core/messages.py",
    "exchange/core/state/ledger.py",
    "exchange/core/state/order.py",
    "exchange/core/state/book.py",
    "exchange/core/state/timers.py",
    "exchange/core/state/user.py",
    "exchange/core/state/root.py",
    "exchange/core/state/copying.py",
    "exchange/core/rules/access.py",
    "exchange/core/rules/settlement.py",
    "exchange/core/rules/matching.py",
    "exchange/core/rules/risk.py",
    "exchange/core/rules/orders.py",
    "exchange/core/engine.py",
    "exchange/conformance/order_flow.py",  # its report lines are part of what P1 times
]


def compiled_extensions():
    if os.environ.get("EXCHANGE_PURE") == "1":
        return []
    try:
        from mypyc.build import mypycify

        extensions = mypycify(HOT, opt_level="3", debug_level="0")
    except (Exception, SystemExit) as error:  # no mypy, a type error, an unsupported interpreter
        print(f"pure-Python install: {error!r}", file=sys.stderr)
        return []
    for extension in extensions:
        if os.name == "posix":
            # One file holds the whole group: without these no call inside it may be inlined.
            extension.extra_compile_args += ["-fno-semantic-interposition", "-fvisibility=hidden"]
        extension.optional = True  # a failing compiler leaves the .py files in charge
    return extensions


setup(ext_modules=compiled_extensions())
