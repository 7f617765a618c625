"""Dovecot: an IMAP mailbox that bounces are brought to by LMTP."""

import subprocess
from pathlib import Path

from local.ports import free_port

USER, PASSWORD = "bounces", "a-password-for-one-machine"
CONFIG = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
auth_mechanisms = plain
default_internal_user = dovecot
default_login_user = dovenull
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
protocol lmtp {{
  auth_username_format = bounces
}}
"""
# Debian 12 has 2.3, Debian 13 has 2.4, which says these otherwise.
UP_TO_2_3 = """
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
imap_capability = {capability}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail allow_all_users=yes
}}
"""
WITHOUT_IDLE_UP_TO_2_3 = "IMAP4rev1 UIDPLUS"
SINCE_2_4 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {folder}/mail
imap_capability {{
  IDLE = {idle}
}}
passdb static {{
  password = {password}
}}
userdb static {{
  allow_all_users = yes
  fields {{
    uid = nobody
    gid = nogroup
    home = {folder}/mail
  }}
}}
"""


class Dovecot:
    """One mailbox; everything that LMTP brings goes into it. `idle` says whether it offers IDLE."""

    def __init__(self, folder: Path, *, idle: bool = True) -> None:
        self.imap, self.lmtp = free_port(), free_port()
        self._folder = folder
        for name in ("run", "mail"):
            (folder / name).mkdir(parents=True)
        (folder / "mail").chmod(0o777)
        self._config = folder / "dovecot.conf"
        self._config.write_text(
            # what says the version comes first
            ((UP_TO_2_3 if _version() < (2, 4) else SINCE_2_4) + CONFIG).format(
                folder=folder,
                imap=self.imap,
                lmtp=self.lmtp,
                password=PASSWORD,
                idle="yes" if idle else "no",
                capability="+" if idle else WITHOUT_IDLE_UP_TO_2_3,
            )
        )

    def start(self) -> None:
        """Start; returns when it listens."""
        self._run("dovecot", "-c", self._config)

    def stop(self) -> None:
        """Stop, if it runs."""
        self._run("doveadm", "-c", self._config, "stop", check=False)

    def _run(self, *command: str | Path, check: bool = True) -> None:
        # To a file: what runs on in the background would keep a pipe open.
        with (self._folder / "output").open("a") as output:
            subprocess.run(command, check=check, timeout=30, stdout=output, stderr=output)


def _version() -> tuple[int, ...]:
    told = subprocess.run(["dovecot", "--version"], capture_output=True, check=True, timeout=30)
    return tuple(int(each) for each in told.stdout.decode().split(".")[:2])
