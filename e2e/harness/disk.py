"""A disk without room."""

import contextlib
import errno
import os


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
