"""The command `audit`: what operators did, and whether anybody has changed the audit log."""

import argparse
import io
import sys
from collections.abc import Iterable
from itertools import chain as concatenated
from pathlib import Path
from uuid import UUID

from chassis.database import Connection, Database
from services.scheduling.admin.command_line import Subcommands, fail
from services.scheduling.audit import chain
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.chain import Place
from services.scheduling.audit.proof_check import ProofCheck

PAGE = 1000  # entries


def add_parsers(commands: Subcommands) -> None:
    """Add `audit` to the command line."""
    audit = commands.add_parser("audit", help="the audit log: operators' deeds, and its digests")
    audit_commands = audit.add_subparsers(metavar="COMMAND", required=True)
    deeds = audit_commands.add_parser("deeds", help="what operators did, newest first")
    deeds.set_defaults(command=_deeds)
    verify = audit_commands.add_parser(
        "verify",
        help="reckon all digests anew; print the newest of each practice, to be kept elsewhere",
    )
    verify.add_argument(
        "--kept", type=Path, metavar="FILE", help="what this command has printed before: still so?"
    )
    verify.add_argument("--export", type=Path, metavar="FILE", help="an exported log: still so?")
    verify.add_argument("--practice", type=UUID, help="whose log was exported")
    verify.set_defaults(command=_verify)


async def _deeds(db: Database, _options: argparse.Namespace) -> int:
    before: UUID | None = None
    while True:
        async with db.system() as tx:
            found = await audit_store.operator_deeds(tx, before=before, limit=PAGE)
        for each in found:
            about = each.practice_id or "-"
            who = f"{each.actor_id} {each.actor_name or ''}".strip()
            print(f"{each.at:%Y-%m-%d %H:%M:%S}  {about}  {each.action}", end="  ")
            print(f"{','.join(each.changed)}  {who}  {each.trace_id or ''}".rstrip())
        if len(found) < PAGE:
            return 0
        before = found[-1].id


async def _verify(db: Database, options: argparse.Namespace) -> int:
    if (options.export is None) != (options.practice is None):
        return fail("--export and --practice belong together.")
    try:
        kept = list(_kept(options))
    except (OSError, ValueError) as error:
        return fail(f"The file can't be read ({type(error).__name__}).")
    more = True
    while more:
        async with db.system() as tx:
            more = await audit_store.seal(tx)
    async with db.system() as tx:
        found = await audit_store.chains(tx)
    if options.prover is None:
        print("SCHEDULING_AUDIT_KEYS is not set: no proof is checked.", file=sys.stderr)
    faults: list[str] = []
    for begin, head in found:
        proofs = ProofCheck(options.prover) if options.prover else None
        check = await _followed(db, begin, head, proofs)
        print(check.end)
        if check.fault is not None:
            faults.append(f"{head.chain}: {check.fault}")
        if proofs is not None:
            faults += [f"{head.chain}: {fault}" for fault in proofs.faults()]
            if proofs.retired is not None:
                print(f"{head.chain}: {proofs.retired}", file=sys.stderr)
    async with db.system() as tx:
        faults += await _differing(tx, kept, {head.chain: begin for begin, head in found})
    if faults:
        return fail("\n".join(["The audit log was changed:", *faults]))
    return 0


async def _followed(
    db: Database, begin: Place, head: Place, proofs: ProofCheck | None
) -> chain.Check:
    """One chain, page by page, up to its head; what is sealed meanwhile is not looked at."""
    check = chain.Check(begin)
    after = begin.number
    while after < head.number:
        async with db.system() as tx:
            page = await audit_store.sealed(
                tx, head.chain, after=after, limit=min(PAGE, head.number - after)
            )
        if not page:
            break
        for entry in page:
            check.follow(entry)
            if proofs is not None:
                proofs.follow(entry)
        after = page[-1].number or head.number
    check.finish(head)
    return check


def _kept(options: argparse.Namespace) -> Iterable[Place]:
    heads: Iterable[Place] = ()
    exported: Iterable[Place] = ()
    if options.kept is not None:
        heads = chain.kept_heads(options.kept.read_text().splitlines())
    if options.export is not None:
        text = options.export.read_bytes().decode("utf-8-sig")
        exported = chain.exported_places(io.StringIO(text, newline=""), options.practice)
    return concatenated(heads, exported)


async def _differing(tx: Connection, kept: list[Place], begins: dict[UUID, Place]) -> list[str]:
    """What is no longer as it was kept. Entries that have had their time can't be asked for."""
    faults = []
    for place in kept:
        begin = begins.get(place.chain)
        if begin is not None and place.number < begin.number:
            continue
        if begin is not None and place.number == begin.number:
            digest: bytes | None = begin.digest
        else:
            digest = await audit_store.digest_of(tx, place.chain, place.number)
        if digest != place.digest:
            faults.append(
                f"{place.chain}: entry {place.number} is not what it was when it was kept"
            )
    return faults
