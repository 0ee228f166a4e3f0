"""What the scenarios stand on: a system in a folder of its own, pods to put on it, faults to inject."""
