"""A disk with a volatile cache: what was written is safe once it was flushed. It remembers every write, and can afterwards be had as
a power cut at any moment may have left it.

  /usr/bin/python3 disk.py FOLDER BYTES    serves FOLDER/disk/image by FUSE until that is unmounted; the record goes to FOLDER

A loop device over that image passes the flushes of its file system on as fsync.
"""

import errno
import os
import stat
import struct
import sys
import time

ENTRY = struct.Struct("<QQQ")  # microseconds, offset, bytes; no bytes: a flush
BLOCK = 4096  # is written whole or not at all


class Cuts:
    """The images of one disk, for moments that are asked for from first to last."""

    def __init__(self, folder):
        self.entries, at = [], 0
        with open(f"{folder}/writes", "rb") as file:
            for moment, offset, count in ENTRY.iter_unpack(file.read()):
                self.entries.append((moment, offset, count, at))
                at += count
        self.bytes = open(f"{folder}/bytes", "rb")
        self.safe = open(f"{folder}/safe", "w+b", buffering=0)
        self.safe.truncate(os.stat(f"{folder}/end").st_size)
        self.done = 0  # entries of which all writes are in `safe`

    def until(self, number, image, survives):
        """As it may be when the entry `number` has not come any more. Of what was not flushed by then a block is there if
        `survives()`. Tells how many bytes are gone."""
        flushed = max((i for i in range(self.done, number) if not self.entries[i][2]), default=self.done)
        for i in range(self.done, flushed):
            os.pwrite(self.safe.fileno(), self.data(i), self.entries[i][1])
        self.done = max(flushed, self.done)
        os.system(f"cp --sparse=always '{self.safe.name}' '{image}'")
        lost = 0
        with open(image, "r+b", buffering=0) as file:
            for i in range(self.done, number):
                data, offset = self.data(i), self.entries[i][1]
                for start in range(0, len(data), BLOCK):
                    piece = data[start:start + BLOCK]
                    if survives():
                        os.pwrite(file.fileno(), piece, offset + start)
                    else:
                        lost += len(piece)
        return lost

    def data(self, i):
        _, _, count, at = self.entries[i]
        return os.pread(self.bytes.fileno(), count, at)


def serve(folder, size):
    import fusepy

    class Disk(fusepy.Operations):
        def __init__(self):
            self.end = open(f"{folder}/end", "w+b", buffering=0)
            self.end.truncate(size)
            self.writes, self.bytes = (open(f"{folder}/{name}", "ab") for name in ("writes", "bytes"))

        def getattr(self, path, handle=None):
            if path == "/":
                return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
            if path != "/image":
                raise fusepy.FuseOSError(errno.ENOENT)
            return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": size}

        def read(self, path, count, offset, handle):
            return os.pread(self.end.fileno(), count, offset)

        def write(self, path, data, offset, handle):
            self.writes.write(ENTRY.pack(time.time_ns() // 1000, offset, len(data)))
            self.bytes.write(data)
            return os.pwrite(self.end.fileno(), data, offset)

        def fsync(self, path, data_only, handle):
            self.writes.write(ENTRY.pack(time.time_ns() // 1000, 0, 0))
            return 0

        def destroy(self, path):
            self.writes.close()
            self.bytes.close()

    os.makedirs(f"{folder}/disk", exist_ok=True)
    fusepy.FUSE(Disk(), f"{folder}/disk", foreground=True, nothreads=True, big_writes=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
