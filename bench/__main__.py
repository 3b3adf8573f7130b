"""One command, one table: `python -m bench` measures us and the peers beside us in the same run.

    python -m pip install -r bench/requirements.txt    # peers; what is absent is skipped
    python -m bench                                    # all rows, about five minutes
    python -m bench --only p2 --messages 100000        # a quick look

CPU time, medians, interleaved rounds.  The rows are those of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import full_path, peers, recovery, startup, workload
from exchange import is_compiled

Row = tuple[str, str, str, str]  # id, what, measured, target and verdict


def verdict(value: float, target: float, *, at_most: bool = False) -> str:
    met = value <= target if at_most else value >= target
    return f"{'<=' if at_most else '>='} {target:g}: {'met' if met else 'MISSED'}"


def full_path_rows(a: argparse.Namespace) -> Iterator[Row]:
    work = workload.load(a.messages)
    small = workload.load(a.peer_messages)
    if not full_path.is_right(small):
        raise SystemExit("the engine does not reproduce the workload's trades")
    ours: list[float] = []
    theirs: dict[str, list[float]] = {
        name: [] for name, (dist, _) in peers.PEERS.items() if peers.installed(dist)
    }
    for name, (dist, _) in peers.PEERS.items():
        if name not in theirs:
            print(f"skip {name}: {dist} is not installed", file=sys.stderr)
    for _ in range(a.rounds):
        ours.append(full_path.seconds(work) / len(work))
        for name, spent in theirs.items():
            spent.append(peers.PEERS[name][1](small.messages())[0] / len(small))
    best = 1 / statistics.median(ours)
    yield "P2", "full path, all features", f"{best / 1e6:.2f} M msg/s", ""
    for name, target in (("lightmatchingengine", 10), ("liquibook (C++ via SWIG)", 3)):
        if name in theirs:
            rate = 1 / statistics.median(theirs[name])
            row = f"{best / rate:.1f}x of {rate / 1e6:.3f} M msg/s"
            yield "P2", f"against {name}, matching only", row, verdict(best / rate, target)


def latency_rows(a: argparse.Namespace) -> Iterator[Row]:
    spent = full_path.latencies_ns(workload.load(a.messages))
    p50, p99, p999 = (spent[int(len(spent) * q)] for q in (0.5, 0.99, 0.999))
    what = f"p50 {p50 / 1e3:.2f}, p99 {p99 / 1e3:.2f}, p99.9 {p999 / 1e3:.2f} us"
    yield "P3", "one apply, shipped collector settings", what, verdict(p999 / p50, 20, at_most=True)


def matching_rows(a: argparse.Namespace) -> Iterator[Row]:
    from exchange.conformance.matching import matching

    folder = Path(a.data)
    if not folder.is_dir():
        print(f"skip P1: {folder} is absent", file=sys.stderr)
        return
    for path in sorted(folder.glob("*_seed23.csv.xz")):
        found = matching(path)
        rate = found["messages_per_s"]
        yield (
            "P1",
            f"outside suite, {path.name.split('_')[0]}",
            f"{rate / 1e6:.2f} M msg/s",
            verdict(rate, 1.5e6),
        )


def recovery_rows(a: argparse.Namespace) -> Iterator[Row]:
    found = max(recovery.measure(a.accounts, a.orders, a.tail, a.rounds))
    what = f"{a.orders:,} orders, {a.accounts:,} accounts, {a.tail:,}-command tail"
    yield (
        "P6",
        f"restart to first durable answer: {what}",
        f"worst of {a.rounds}: {found:.2f} s",
        verdict(found, 5, at_most=True),
    )


def startup_rows(a: argparse.Namespace) -> Iterator[Row]:
    found = startup.measure(a.rounds * 3)
    for name in ("help", "order"):
        ratio = found[name] / found["bare"]
        what = f"{found[name] * 1e3:.0f} ms, {ratio:.1f}x bare Python"
        yield "P8", f"tradecli {name}", what, verdict(ratio, 10, at_most=True)


PARTS = {
    "p1": matching_rows,
    "p2": full_path_rows,
    "p3": latency_rows,
    "p6": recovery_rows,
    "p8": startup_rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=sorted(PARTS), action="append")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--peer-messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--tail", type=int, default=100_000)
    parser.add_argument("--data", default="../shared/data/matching")
    a = parser.parse_args()
    core = "compiled" if is_compiled() else "interpreted"
    print(f"Python {platform.python_version()}, {platform.machine()}, core {core}")
    print(f"{'id':3s} {'what':72s} {'measured':38s} target")
    for part in a.only or PARTS:
        for number, what, measured, target in PARTS[part](a):
            print(f"{number:3s} {what:72s} {measured:38s} {target}", flush=True)


if __name__ == "__main__":
    main()
