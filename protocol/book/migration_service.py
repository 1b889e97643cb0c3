"""Schema histories: one Alembic folder and one version table per base, driven from code.

Each base names its folder and its tables; the book's own tables belong to every history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, inspect, text

from protocol.book.tables import metadata as book_tables


@dataclass(frozen=True, slots=True)
class History:
    """A base's schema: its name, the folder of its revisions, and its own tables."""

    name: str
    folder: Path
    tables: tuple[MetaData, ...]

    @property
    def targets(self) -> Sequence[MetaData]:
        return (book_tables, *self.tables)


def upgrade(engine: Engine, history: History) -> None:
    """Bring the schema to the newest revision, in one transaction; nothing happens where it is already there.

    Raises ValueError where the base was written by a newer version of the software than this one.
    """
    with engine.begin() as connection:
        if _find_revision(connection, history) == find_head(history):
            return
    from alembic import command  # heavy, and needed only where there is something to do
    from alembic.util.exc import CommandError

    config = _config(history)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        config.attributes["history"] = history
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ValueError(f"the {history.name} base has a schema this version does not know: {error}") from error


def pending_changes(engine: Engine, history: History) -> list[object]:
    """Return the differences between the tables in code and the schema in the database; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=_options(history))
        return list(compare_metadata(context, history.targets))  # type: ignore[arg-type]


def write_revision(engine: Engine, history: History, message: str, revision: str) -> None:
    """For developers: write a new revision from the difference between tables and schema."""
    from alembic import command

    config = _config(history)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        config.attributes["history"] = history
        command.revision(config, message, autogenerate=True, rev_id=revision)


def change_rule(connection: Connection, table: str, name: str, *, old: str, new: str) -> None:
    """Change the words of a CHECK from inside a migration; rows are not written again. Raises ValueError if it has others.

    On SQLite the rule is changed in the words of the schema, as SQLite's own documentation gives it (ALTER TABLE, section
    7): to copy the table, as Alembic's batches do, fails where rows of other tables point at it, and takes an hour where
    there are ten million.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({new})"))
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.execute(
        text(
            "UPDATE sqlite_master SET sql = replace(sql, :old, :new)"
            " WHERE type = 'table' AND name = :name AND instr(sql, :old) > 0"
        ),
        {"old": f"{name} CHECK ({old})", "new": f"{name} CHECK ({new})", "name": table},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
    if changed.rowcount != 1:
        raise ValueError(f"the rule {name} is not in the words that were expected")


def version_table(history: History) -> str:
    return f"alembic_version_{history.name}"


def _options(history: History) -> dict[str, object]:
    return {
        "version_table": version_table(history),
        "render_as_batch": True,
        "compare_type": False,
        "include_object": _is_ours(history),
        "target_metadata": list(history.targets),
    }


def _is_ours(history: History):  # type: ignore[no-untyped-def]
    own = {name for target in history.targets for name in target.tables}

    def include(_object: object, name: str | None, kind: str, reflected: bool, _compare: object) -> bool:
        return not (kind == "table" and reflected and name not in own)

    return include


def configure(attributes: Mapping[str, Any]) -> None:
    """Called by Alembic's environment: tell it the connection and the history that were given."""
    from alembic import context

    options: dict[str, Any] = _options(attributes["history"])
    context.configure(connection=attributes["connection"], **options)


def _config(history: History):  # type: ignore[no-untyped-def]
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(history.folder))
    config.set_main_option("path_separator", "os")
    return config


def find_head(history: History) -> str:
    """Return the newest revision of a history: its files are numbered, `0001_….py`, `0002_….py`."""
    return max(file.name.partition("_")[0] for file in history.folder.glob("[0-9]*_*.py"))


def _find_revision(connection: Connection, history: History) -> str | None:
    """Return the revision that the base stands at, or None for an empty one."""
    table = version_table(history)
    if not inspect(connection).has_table(table):
        return None
    return connection.execute(text(f"SELECT version_num FROM {table}")).scalar()  # noqa: S608 - our own name
