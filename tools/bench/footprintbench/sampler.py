"""Memory of processes over some time."""

import threading

KINDS = ("Pss", "Private_Dirty")


def sample(pid):
    """{kind: MB} of a process."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        lines = [line.split() for line in file]
    return {kind: sum(int(words[1]) for words in lines if words[0] == kind + ":") / 1024 for kind in KINDS}


class Sampler:
    """Samples twice a second in a thread; use it in a `with`. Then `mean` and `peak` are {name: {kind: MB}}, of each process,
    and of all together under "sum": its peak is that of the sum, not the sum of the peaks."""

    def __init__(self, processes):
        self._processes = processes
        self._samples = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        while True:
            taken = {name: sample(pid) for name, pid in self._processes.items()}
            taken["sum"] = {kind: sum(values[kind] for values in taken.values()) for kind in KINDS}
            self._samples.append(taken)
            if self._over.wait(0.5):
                return

    def _of(self, how):
        return {name: {kind: how([taken[name][kind] for taken in self._samples]) for kind in KINDS}
                for name in self._samples[0]}

    @property
    def mean(self):
        """Over the time."""
        return self._of(lambda values: sum(values) / len(values))

    @property
    def peak(self):
        """The most that was seen."""
        return self._of(max)
