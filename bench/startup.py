"""P8: start-up of the command line, as multiples of a bare interpreter in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELP = ["-m", "tradecli", "--help"]
ORDER = ["-m", "tradecli", "order", "buy", "BTC-USDC", "0.001", "--limit", "60000"]


def wall(command: list[str], env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(rounds: int) -> dict[str, float]:
    """Median wall seconds of each case, interleaved; the store exists before the first round."""
    with tempfile.TemporaryDirectory(prefix="tradecli-startup-") as home:
        env = {**os.environ, "TRADECLI_HOME": str(Path(home) / "home"), "PYTHONPATH": os.getcwd()}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its byte code beside it
        env["PYTHONPYCACHEPREFIX"] = str(Path(home) / "bytecode")
        cases = {
            "bare": [sys.executable, "-c", "pass"],
            "help": [sys.executable, *HELP],
            "order": [sys.executable, *ORDER],
        }
        for command in cases.values():
            wall(command, env)
        times: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, command in cases.items():
                times[name].append(wall(command, env))
    return {name: statistics.median(found) for name, found in times.items()}
