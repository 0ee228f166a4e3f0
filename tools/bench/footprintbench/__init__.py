"""Parts of tools/bench/footprint_load."""
