"""Stores as SQL text, as a release left them: taken from a file or a database, and made one again.

A SQLite file's schema comes in the order in which it was made, with the marks that services check at the start (user_version,
application_id), and rows with their checksums: what is made again is what was there.
"""

import sqlite3
import subprocess
import zlib
from pathlib import Path


def _literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if "\x00" in value:
        return f"CAST(x'{value.encode().hex()}' AS TEXT)"
    return "'" + value.replace("'", "''") + "'"


def schema_mark(connection, version):
    """What services/lib/sqlite writes into application_id: a sum of the schema and its version."""
    rows = connection.execute(r"SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
                              " ORDER BY rowid")
    text = "\n".join(f"{name}\n{sql}" for name, sql in rows) + f"\n{version}"
    return zlib.crc32(text.encode()) & 0x7FFFFFFF


def _pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def rows_of(path):
    """{table: its rows, sorted} of a file that nobody has open, without columns that only checks need."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found = {}
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
            cursor = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            found[table] = [{name: value for name, value in zip(names, row) if name != "checksum"} for row in cursor]
        return found
    finally:
        connection.close()


def version_of(path):
    """The schema that a file has."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return _pragma(connection, "user_version")
    finally:
        connection.close()


def replaced(text, words):
    """`words` is {what stands for it: what is in the text}."""
    for word, value in sorted(words.items(), key=lambda item: -len(item[1])):
        text = text.replace(value, word)
    return text


def dump_sqlite(path, words):
    """The SQL that makes the file again; a row in which a word was replaced has no checksum."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        lines = []
        schema = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
        tables = [name for kind, name, _ in schema if kind == "table" and name != "sqlite_sequence"]
        lines += [f"{sql};" for _, name, sql in schema if not name.startswith("sqlite_")]
        if any(name == "sqlite_sequence" for _, name, _ in schema):
            tables.append("sqlite_sequence")
            lines.append("DELETE FROM sqlite_sequence;")
        for table in tables:
            cursor = connection.execute(f"SELECT * FROM {table}")
            summed = cursor.description[-1][0] == "checksum"
            for row in cursor:
                values = ", ".join(map(_literal, row[:-1] if summed else row))
                checksum = [] if not summed else [row[-1] if replaced(values, words) == values else -1]
                lines.append(f"INSERT INTO {table} VALUES ({', '.join([replaced(values, words), *map(str, checksum)])});")
        lines += [f"PRAGMA {name}={_pragma(connection, name)};" for name in ("user_version", "application_id")]
        return "".join(f"{line}\n" for line in lines)
    finally:
        connection.close()


def make_sqlite(text, path, change=""):
    """The file that `text` describes, in place of what is there; `change` is SQL for what can't be in the text, such as keys."""
    for suffix in ("", "-wal", "-shm", ".copy", ".suspect"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    try:
        connection.executescript(f"PRAGMA journal_mode=WAL;{'BEGIN;' + text + change + ';COMMIT;'}")
    finally:
        connection.close()


def make_older(path, schema):
    """The file as it would be if an older release, of that schema, had written it: the rows that there are, in the columns that it
    had. What only it had is 0. Rows have no checksums: those are of more columns now."""
    rows = rows_of(path)
    make_sqlite(schema, path)
    connection = sqlite3.connect(path)
    try:
        for table in [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'") if name in rows]:
            columns = [column for _, column, *_ in connection.execute(f"PRAGMA table_info({table})") if column != "checksum"]
            for row in rows[table]:
                connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                                   [row.get(column, 0) for column in columns])
        connection.commit()
    finally:
        connection.close()


def make_newer(path):
    """As a release after this one leaves the file: with one more migration."""
    connection = sqlite3.connect(path)
    try:
        version = _pragma(connection, "user_version") + 1
        connection.executescript("CREATE TABLE of_tomorrow (x INTEGER); INSERT INTO of_tomorrow VALUES (7);"
                                 f"PRAGMA user_version={version}")
        connection.execute(f"PRAGMA application_id={schema_mark(connection, version)}")
        connection.commit()
        return version
    finally:
        connection.close()


def dump_postgres(postgres, words):
    """The SQL that makes the database again."""
    done = subprocess.run(["pg_dump", "-h", postgres.folder, "-U", "postgres", "--no-owner", "--inserts", "--rows-per-insert=1",
                           "postgres"], text=True, check=True, stdout=subprocess.PIPE, timeout=60)
    # Settings of the session, and the dump's comments.
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(("--", "SET ", "\\"))
             and not line.startswith("SELECT pg_catalog.set_config")]
    return replaced("".join(f"{line}\n" for line in lines), words)


def make_postgres(text, postgres, change=""):
    """Runs it in an empty database, all or nothing."""
    done = subprocess.run(["psql", "-h", postgres.folder, "-U", "postgres", "-qX1", "-v", "ON_ERROR_STOP=1", "-f", "-", "postgres"],
                          input=f"SET check_function_bodies = false;\n{text}\n{change}", text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
