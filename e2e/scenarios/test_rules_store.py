"""router-svc's store is full or away while a box speaks by rules: what it can't take waits on the box."""

import random
import time
from pathlib import Path

from cluster import wait

from harness.disk import filled, mount_disk, unmount_disk
from harness.plant import built
from harness.postgres import Postgres

DISK_BYTES = 8 << 20
LARGE = "x" * 200_000


def _refusals(router):
    return router.metric("skerry_reconcile_total", controller="event", result="retry")


def _await_refusal(router):
    before = _refusals(router)
    wait.until("messages to wait on the box", lambda: _refusals(router) > before, 30)


def test_the_disk_is_full(fresh_system):
    """[rules-14] Nothing new is taken; what waits is posted and removed, which makes room, or is a dead letter; nothing
    is lost."""
    router = fresh_system.cloud.router
    folder = Path(router.settings["state_dir"])
    mount_disk(folder, DISK_BYTES)
    try:
        with built(fresh_system) as plant:
            plant.reset()
            plant.target.answer = lambda request: (503, "")
            for number in range(5):
                assert plant.order(f"{number} {LARGE}")["code"] == 200
            wait.until("five messages to wait", lambda: router.metric("skerry_router_waiting_messages") == 5, 30)
            with filled(folder):
                for number in range(5, 20):
                    assert plant.order(f"{number} {LARGE}")["code"] == 200
                _await_refusal(router)
                plant.target.answer = lambda request: (410 if request.body.startswith("0 ") else 200, "")
                wait.until("what waits to be posted", lambda: len(plant.posted("/orders")) >= 5, 60)
                wait.until("it to be removed", lambda: _waiting(fresh_system, folder) == 0, 30)
            plant.await_posted("/orders", [f"{number} {LARGE}" for number in range(20)])
            assert [letter.payload[:2] for letter in plant.letters.list()] == [b"0 "]
            router.kill()
            assert set(fresh_system.check_databases().values()) == {"ok"}
            print(f"{plant.again} posted again")
    finally:
        router.stop()
        unmount_disk(folder)


def _waiting(system, folder):
    return system.rows(folder / "router.db", "SELECT count(*) FROM message WHERE dead = 0")[0][0]


def test_postgresql_is_away(fresh_system):
    """[rules-15] With PostgreSQL: nothing new is taken and nothing posted while it is away, and both go on when it is
    back; it and router-svc die at any instant while the box speaks, and all of it arrives."""
    rng = random.Random(7)
    database = Postgres()
    router = fresh_system.cloud.router
    url = fresh_system.folder / "postgres-url"
    url.write_text(Postgres.url(database.folder))
    router.settings.update({"store.kind": "postgres", "store.postgres_url_file": str(url)})
    try:
        with built(fresh_system) as plant:
            plant.reset()
            database.crash()
            plant.alarm(0)
            _await_refusal(router)
            assert plant.posted("/alarms") == []
            database.start()
            plant.await_posted("/alarms", ["0"])
            plant.reset()
            with plant.speaking() as said:
                for _ in range(15):
                    for victim, start in ((database.crash, database.start), (router.kill, router.start)):
                        time.sleep(rng.random() * 0.2)  # Not to wait for something: the instant of death is to be any.
                        victim()
                        start()
            print(f"{[len(bodies) for bodies in said.values()]} messages, {plant.again} posted again")
    finally:
        router.kill()
        database.close()
