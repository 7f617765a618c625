"""Postfix between the notification service and the mailbox: it bounces, and brings bounces back."""

import shutil
import subprocess
from pathlib import Path

from local.ports import free_port

MAIN = """
compatibility_level = 3.6
maillog_file = {folder}/maillog
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
relay_domains = static:all
transport_maps = inline:{{
    {{ {bounce_domain} = lmtp:inet:127.0.0.1:{intake} }}
    {{ {final_domain} = discard: }} }}
relayhost = [127.0.0.1]:{next_hop}
local_transport = error:nobody is local
smtp_host_lookup = native
minimal_backoff_time = 1s
queue_run_delay = 1s
delay_warning_time = 0
bounce_queue_lifetime = 1h
smtputf8_enable = yes
"""
MASTER = """
{port}    inet  n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 1 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
discard   unix  - - n - - discard
error     unix  - - n - - error
retry     unix  - - n - - error
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
proxymap  unix  - - n - - proxymap
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""


FINAL_DOMAIN = "final.example"


class Postfix:
    """Relays what comes in to `next_hop`, and mail to `bounce_domain` to the intake by LMTP.

    For mail to FINAL_DOMAIN it is itself the last server.
    """

    def __init__(self, folder: Path, *, next_hop: int, intake: int, bounce_domain: str) -> None:
        self.port = free_port()
        self._folder = folder
        settings = folder / "etc"
        for name in ("etc", "queue"):
            (folder / name).mkdir(parents=True)
        data = folder / "data"
        data.mkdir()
        shutil.chown(data, "postfix")
        (settings / "main.cf").write_text(
            MAIN.format(
                folder=folder,
                next_hop=next_hop,
                intake=intake,
                bounce_domain=bounce_domain,
                final_domain=FINAL_DOMAIN,
            )
        )
        (settings / "master.cf").write_text(MASTER.format(port=self.port))

    def start(self) -> None:
        """Start; returns when it listens."""
        self._run("start")

    def stop(self) -> None:
        """Stop, if it runs."""
        self._run("stop", check=False)

    def log(self) -> str:
        """What it wrote."""
        return (self._folder / "maillog").read_text()

    def _run(self, command: str, *, check: bool = True) -> None:
        subprocess.run(
            ["postfix", "-c", self._folder / "etc", command],
            check=check,
            timeout=30,
            capture_output=True,
        )
