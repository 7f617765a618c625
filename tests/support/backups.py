"""What is in a service's database, kept and brought back, without a superuser or its programs."""

import asyncpg

TABLES = """
    SELECT quote_ident(tablename) AS name FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'schema_migrations' ORDER BY 1
    """
# Sequences go on where they are: a restored one would give the same numbers, to fewer rows.
INSERT = "INSERT INTO public.{0} OVERRIDING SYSTEM VALUE SELECT * FROM kept.{0}"


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
            names = [row["name"] for row in await owner.fetch(TABLES)]
            for name in names:
                await owner.execute(f"ALTER TABLE public.{name} DISABLE TRIGGER USER")
            await owner.execute(f"TRUNCATE {', '.join(f'public.{each}' for each in names)}")
            waiting = list(names)
            while waiting:  # what is referred to first
                for name in list(waiting):
                    try:
                        async with owner.transaction():
                            await owner.execute(INSERT.format(name))
                    except asyncpg.ForeignKeyViolationError:
                        continue
                    waiting.remove(name)
            for name in names:
                await owner.execute(f"ALTER TABLE public.{name} ENABLE TRIGGER USER")
            await owner.execute("DROP SCHEMA kept CASCADE")
    finally:
        await owner.close()
