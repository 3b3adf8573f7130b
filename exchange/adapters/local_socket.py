"""Where the exchange of one folder listens on this machine, and who is on the other end.

A socket in the store's own folder, open to its owner only.  A path too long for a socket's address
becomes a short one in a private folder below /tmp.  A single command that finds nobody only asks
for the path, so nothing of the network is imported for that.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.errors import AuthError, ConfigError

if TYPE_CHECKING:
    import socket

NAME: Final = "exchange.sock"
PATH_MAX: Final = 103  # bytes, the shortest limit of the common systems less the final zero
SHORT_ROOT: Final = Path("/tmp")  # noqa: S108 - a folder of our own in it is checked before use


def socket_path(folder: Path) -> Path:
    """The same for every process that asks with the same folder."""
    path = folder / NAME
    if len(os.fsencode(path)) <= PATH_MAX:
        return path
    name = hashlib.blake2b(os.fsencode(folder), digest_size=16).hexdigest()
    return SHORT_ROOT / f"tradecli-{os.getuid()}" / f"{name}.sock"


def listening(path: Path) -> socket.socket:
    """Bound for its owner only, in place of what an earlier process left.  The caller holds the
    store's lock.  Raises AuthError when the folder belongs to somebody else."""
    import socket
    import stat

    if path.name != NAME:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        found = path.parent.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise AuthError(f"{path.parent} is not a private folder of yours; remove it")
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(str(new))
        made.listen(64)
        new.replace(path)  # nobody finds it before it listens
    except BaseException:
        made.close()
        raise
    finally:
        os.umask(before)
    return made


def connected(path: Path, seconds: float) -> socket.socket | None:
    """None when nobody listens.  seconds: for this and every later wait.  Raises AuthError."""
    import socket

    if not hasattr(socket, "AF_UNIX"):
        raise ConfigError("this system has no local sockets: only one process at a time can use a store")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(seconds)
        made.connect(str(path))
        check_peer(made)
    except (FileNotFoundError, ConnectionError, NotADirectoryError, TimeoutError, BlockingIOError):
        made.close()
        return None
    except BaseException:
        made.close()
        raise
    return made


def check_peer(connection: socket.socket) -> None:
    """Raises AuthError unless the other end is a process of the same user."""
    uid = _peer_uid(connection)
    if uid is not None and uid != os.getuid():
        raise AuthError(f"the other end of the socket belongs to user {uid}")


def _peer_uid(connection: socket.socket) -> int | None:
    """None where the system does not tell; the socket's mode keeps others out there."""
    import socket
    import struct

    if sys.platform == "linux":
        _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(uid)
    if sys.platform == "darwin":
        local_peercred = 1  # at level 0; version and uid lead the structure
        _, uid = struct.unpack_from("2I", connection.getsockopt(0, local_peercred, 76))
        return int(uid)
    return None
