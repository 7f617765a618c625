"""What is in a service's database, kept and brought back, without a superuser or its programs."""

import asyncpg

# Values that the database makes itself are not brought back.
TABLES = """
    SELECT quote_ident(t.tablename) AS name, string_agg(quote_ident(c.column_name), ', ') AS columns
    FROM pg_tables t JOIN information_schema.columns c
        ON (c.table_schema, c.table_name) = (t.schemaname, t.tablename)
    WHERE t.schemaname = 'public' AND t.tablename <> 'schema_migrations'
        AND c.is_generated = 'NEVER'
    GROUP BY t.tablename ORDER BY 1
    """
# Sequences go on where they are: a restored one would give the same numbers, to fewer rows.
INSERT = "INSERT INTO public.{0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM kept.{0}"


async def back_up(owner_dsn: str) -> None:
    """Keep what is in every table at one moment, in place of what was kept."""
    owner = await asyncpg.connect(owner_dsn)
    try:
        async with owner.transaction(isolation="repeatable_read"):
            await owner.execute("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept")
            for row in await owner.fetch(TABLES):
                await owner.execute("CREATE TABLE kept.{0} AS TABLE public.{0}".format(row["name"]))
    finally:
        await owner.close()


async def restore(owner_dsn: str) -> None:
    """Bring back what was kept; nothing else is in the tables then."""
    owner = await asyncpg.connect(owner_dsn)
    try:
        async with owner.transaction():
            columns = {row["name"]: row["columns"] for row in await owner.fetch(TABLES)}
            names = [*columns]
            for name in names:
                await owner.execute(f"ALTER TABLE public.{name} DISABLE TRIGGER USER")
            await owner.execute(f"TRUNCATE {', '.join(f'public.{each}' for each in names)}")
            waiting = list(names)
            while waiting:  # what is referred to first
                for name in list(waiting):
                    try:
                        async with owner.transaction():
                            await owner.execute(INSERT.format(name, columns[name]))
                    except asyncpg.ForeignKeyViolationError:
                        continue
                    waiting.remove(name)
            for name in names:
                await owner.execute(f"ALTER TABLE public.{name} ENABLE TRIGGER USER")
            await owner.execute("DROP SCHEMA kept CASCADE")
    finally:
        await owner.close()
