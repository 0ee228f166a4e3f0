"""What tools/bench/twin is made of."""
