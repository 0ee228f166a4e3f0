"""A small disk, and one without room."""

import contextlib
import errno
import os
import subprocess


def mount_disk(folder, size_bytes):
    """The folder, which is made, is on a disk of its own."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=0700", "tmpfs", folder], check=True)


def unmount_disk(folder):
    """The disk goes once nobody has a file of it open."""
    subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def filled(folder):
    """The file system of a folder is full to the last byte, until the block ends."""
    path = os.path.join(folder, "filler")
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL)
    try:
        size = 1 << 20
        while size:
            try:
                os.write(descriptor, bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 2
        yield
    finally:
        os.close(descriptor)
        os.unlink(path)
