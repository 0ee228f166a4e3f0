"""The parts of tools/bench/hub."""
