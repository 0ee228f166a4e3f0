"""Each store alone: of every older schema it is taken over; of a newer one it is refused as it is; and settings of before are known."""

import re
import subprocess

import pytest
from cluster.binaries import TOP
from cluster.process import ServiceFailed

from harness import golden, golden_site

GOLDEN = TOP / "e2e/golden"
RELEASES = sorted(path.name for path in GOLDEN.glob("*.*.*"))
NEWEST = RELEASES[-1]
STORES = sorted(str(path.relative_to(GOLDEN / NEWEST / "sqlite/stores").with_suffix(""))
                for path in (GOLDEN / NEWEST / "sqlite/stores").rglob("*.sql"))
OLDER = sorted((str(path.relative_to(GOLDEN / "older")).removesuffix(".sql").rpartition(".")[0], path)
               for path in (GOLDEN / "older").rglob("*.db.*.sql"))
COMPONENTS = ("object_store", "cloudhub", "device registry", "device twins", "device telemetry", "router")
# How long a store has been open, and what a start takes of a range.
RUNNING = {"open_micros", "reserved_end"}


@pytest.fixture(scope="module", name="site")
def fixture_site():
    """A site whose stores are made anew for each test; nothing runs."""
    site = golden_site.Site("upgrade-stores", "sqlite")
    try:
        site.join()
        yield site
    finally:
        site.close()


@pytest.fixture(scope="module", name="database")
def fixture_database():
    """The same with PostgreSQL."""
    site = golden_site.Site("upgrade-database", "postgres")
    try:
        site.join()
        yield site
    finally:
        site.close()


def _rows(path):
    return {table: [{name: value for name, value in row.items() if name not in RUNNING} for row in rows]
            for table, rows in golden.rows_of(path).items()}


@pytest.mark.parametrize("store, schema", OLDER, ids=lambda value: getattr(value, "stem", ""))
def test_an_older_store_is_taken_over(site, store, schema):
    """[upgrade-stores-1] Its service starts, alone; every row is there with what it said, and the schema is today's."""
    site.restore(GOLDEN / NEWEST / "sqlite")
    path = site.system.folder / store
    released = golden.version_of(path)
    golden.make_older(path, schema.read_text())
    before = _rows(path)
    assert any(before.values()), "an empty store shows nothing"
    service = site.writer(store)
    service.start()
    service.kill()
    assert golden.version_of(path) >= released, "which is what this release has, or a newer one"
    assert not list(path.parent.glob("*.damaged-*")), service.log_tail()
    after = _rows(path)
    for table, rows in before.items():
        for row in rows:
            assert any(_says(new, row) for new in after[table]), (table, row, after[table])


def _says(new, old):
    """Whether a row has what an older one had, in the columns that are still there."""
    return all(new[name] == value for name, value in old.items() if name in new)


@pytest.mark.parametrize("store", STORES)
def test_a_newer_store_is_refused(site, store):
    """[upgrade-stores-2] The service ends, says what is to be done, and has changed nothing."""
    site.restore(GOLDEN / NEWEST / "sqlite")
    path = site.system.folder / store
    version = golden.make_newer(path)
    before = golden.rows_of(path)
    service = site.writer(store)
    service.log.unlink(missing_ok=True)
    with pytest.raises(ServiceFailed, match=rf"exited with code 1(?s:.*)newer version \(schema {version}, .*DATABASE_TOO_NEW"):
        service.start()
    assert golden.rows_of(path) == before and golden.version_of(path) == version
    assert not list(path.parent.glob("*.damaged-*"))


def test_a_database_of_before_the_queue_is_taken_over(database):
    """[upgrade-stores-1] Schema 1 of cloudhub in PostgreSQL."""
    database.restore(GOLDEN / NEWEST / "postgres")
    golden.make_postgres((GOLDEN / "older/database.cloudhub.1.sql").read_text(), database.postgres)
    tables = ("hub_state", "hub_nodes", "hub_tokens", "hub_next_keys")
    before = [database.postgres.query(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    database.cloud.hub.start()
    database.cloud.hub.stop()
    assert [database.postgres.query(f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before
    assert int(database.postgres.query("SELECT version FROM schema_versions WHERE component = 'cloudhub'")) >= 2
    assert database.postgres.query("SELECT count(*) FROM hub_commands") == "0"


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_newer_database_is_refused(database, component):
    """[upgrade-stores-2] In PostgreSQL, where each service has a schema of its own."""
    database.restore(GOLDEN / NEWEST / "postgres")
    database.postgres.query(f"UPDATE schema_versions SET version = version + 1 WHERE component = '{component}'")
    before = golden.dump_postgres(database.postgres, {})
    cloud = database.cloud
    service = {"object_store": cloud.api, "cloudhub": cloud.hub, "router": cloud.router}.get(component, cloud.devices)
    service.log.unlink(missing_ok=True)
    with pytest.raises(ServiceFailed, match=rf"exited with code 1(?s:.*)newer version \(schema \d+ of {component}, .*DATABASE_TOO_NEW"):
        service.start()
    assert golden.dump_postgres(database.postgres, {}) == before


@pytest.mark.parametrize("release", RELEASES)
def test_settings_of_before_are_known(site, release):
    """[upgrade-stores-3] What a release shipped in systemd/ is valid for today's services."""
    checked = 0
    for file in sorted((GOLDEN / release / "settings").rglob("*.yaml")):
        name = re.sub("-svc$", "", file.stem) + ("" if file.stem.endswith("-mapper") else "-svc")
        done = subprocess.run([site.system.binaries[name], f"--config={file}", "--validate_config"], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        assert done.returncode == 0, f"{file}: {done.stdout}"
        checked += 1
    assert checked >= 5
