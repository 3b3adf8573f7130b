"""The dashboard under load, in a pseudo-terminal: processor time, frames, key to paint, first paint.

    python bench/tui.py [seconds]

The market is made in a thread of the measured process at the rate of the screen: every 50 ms a
burst of orders and trades in the shown book, 50 working orders of one's own.  So the processor
time is that of the screen with its feed; the row "feed alone" says what the feed takes.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCREEN = Path(__file__).with_name("tui_screen.py")
SIZES = ((80, 24), (160, 50), (240, 70))
HZ = 20
KEYS = 30
COLUMNS = (
    ("cpu", "cpu %", 7),
    ("p50", "p50 ms", 7),
    ("p99", "p99 ms", 7),
    ("hz", "Hz", 6),
    ("kB/s", "kB/s", 7),
    ("rss", "RSS MB", 7),
    ("drift", "drift", 6),
    ("key50", "key p50", 8),
    ("key95", "p95 ms", 7),
)


class Terminal:
    """A process in a pseudo-terminal of this size."""

    def __init__(self, command: list[str], size: tuple[int, int], **environ: str) -> None:
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            columns, rows = size
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(
                command[0],
                command,
                {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environ},
            )
        self.bytes = 0

    def read(self, seconds: float) -> bytes:
        got = b""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                try:
                    got += os.read(self.fd, 1 << 16)
                except OSError:
                    break
        self.bytes += len(got)
        return got

    def until(self, word: bytes, seconds: float = 30.0) -> float:
        """Seconds until the word is on the wire."""
        begun, got = time.perf_counter(), b""
        while word not in got:
            if time.perf_counter() - begun > seconds:
                raise SystemExit(f"{word!r} never came; got {got[-300:]!r}")
            if select.select([self.fd], [], [], 0.5)[0]:
                part = os.read(self.fd, 1 << 16)
                self.bytes += len(part)
                got = got[-4_096:] + part
        return time.perf_counter() - begun

    def press(self, key: str) -> None:
        os.write(self.fd, key.encode())

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self) -> float:
        """MB."""
        return (
            int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        )

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def load(size: tuple[int, int], mode: str, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "frames"
        screen = Terminal([sys.executable, str(SCREEN), mode, str(log)], size)
        screen.until(b"live")
        live_at = time.perf_counter()
        screen.read(3)
        cpu, sent, rss, begun = screen.cpu(), screen.bytes, screen.rss(), time.perf_counter()
        screen.read(seconds)
        took = time.perf_counter() - begun
        row = {"cpu": (screen.cpu() - cpu) / took * 100, "kB/s": (screen.bytes - sent) / took / 1000}
        row["rss"], row["drift"] = screen.rss(), screen.rss() - rss
        os.kill(screen.pid, signal.SIGUSR1)
        while not log.exists():
            screen.read(0.1)
        screen.read(0.2)
        ticks, frames = eval(log.read_text())
        row["hz"] = ticks / (time.perf_counter() - live_at)
        if len(frames) > 20:
            row["p50"] = statistics.median(frames) * 1000
            row["p99"] = statistics.quantiles(frames, n=100)[98] * 1000
        if mode == "load":
            times = []
            for _ in range(KEYS):
                screen.press("b")
                times.append(screen.until(b"Show only") * 1000)
                screen.press("\x1b")
                screen.read(0.3)
            row["key50"], row["key95"] = statistics.median(times), statistics.quantiles(times, n=20)[18]
        screen.end()
        return row


def feed_alone(seconds: float) -> float:
    process = subprocess.Popen([sys.executable, str(SCREEN), "feed", ""])
    time.sleep(2)
    stat = Path(f"/proc/{process.pid}/stat")

    def cpu() -> int:
        fields = stat.read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = cpu()
    time.sleep(seconds)
    used = (cpu() - before) / os.sysconf("SC_CLK_TCK") / seconds * 100
    process.kill()
    process.wait()
    return used


def bare_python() -> float:
    times = []
    for _ in range(9):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def first_paint(runs: int = 5) -> tuple[float, float, float]:
    """Milliseconds to the first paint and to a full book, exchange running; to the first paint, new store."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "tradecli", "--home", home, "demo"]
        first = Terminal(command, (160, 50), PYTHONPATH=str(ROOT))
        cold = first.until(b"LOCAL") * 1000
        first.until(b"spread", 90)
        warm, full = [], []
        for _ in range(runs):
            screen = Terminal(command, (160, 50), PYTHONPATH=str(ROOT))
            warm.append(screen.until(b"LOCAL") * 1000)
            full.append((screen.until(b"spread") * 1000) + warm[-1])
            screen.end()
        first.end()
        time.sleep(3)  # the exchange leaves with its last client, before its folder goes
        return statistics.median(warm), statistics.median(full), cold


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    print(f"{HZ} updates/s, 4 instruments, 50 working orders, {seconds:g} s each")
    print(f"{'screen':>12} " + " ".join(head.rjust(width) for _, head, width in COLUMNS))
    for size in SIZES:
        show(f"{size[0]}x{size[1]}", load(size, "load", seconds))
    show("idle 160x50", load((160, 50), "idle", seconds))
    show("feed alone", {"cpu": feed_alone(min(seconds, 10))})
    bare = bare_python()
    warm, full, cold = first_paint()
    print(f"bare python {bare:.0f} ms; first paint {warm:.0f} ms, {warm / bare:.0f} times that")
    print(f"with the book {full:.0f} ms; first paint on a new store {cold:.0f} ms")


def show(name: str, row: dict[str, float]) -> None:
    cells = (f"{row[key]:.1f}".rjust(width) if key in row else "-".rjust(width) for key, _, width in COLUMNS)
    print(f"{name:>12} " + " ".join(cells), flush=True)


if __name__ == "__main__":
    main()
