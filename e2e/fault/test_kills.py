"""Processes die at any instant."""

import os
import random
import time


def test_killed_at_random_under_load(field, load, kills):
    """[kills-1] L1, L2, L9, A2, A5. The seed is printed: SKERRY_E2E_SEED repeats the order of kills."""
    seed = int(os.environ.get("SKERRY_E2E_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: SKERRY_E2E_SEED={seed}")
    rng = random.Random(seed)
    victims = [field.cloud.hub, field.cloud.controller, field.nodes["edge-1"].edgehub, field.nodes["edge-1"].meta]
    with load.running():
        for count in range(kills):
            service = rng.choice(victims)
            time.sleep(rng.random() * 0.1)  # Not to wait for something: the instant of death is to be any.
            service.kill()
            service.start()
            if count % 10 == 9:
                load.await_progress(timeout=60)
    for _, service in field.services():
        service.kill()
    results = field.check_databases()
    assert len(results) >= 5 and set(results.values()) == {"ok"}, results
    assert not list(field.folder.rglob("*.damaged-*"))
