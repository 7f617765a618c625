"""From the environment; `running.py` sets it."""

import os

from joserfc.jwk import OctKey

DATABASE = os.environ["PEER_DATABASE"]
BROKER = os.environ["PEER_BROKER"]
SMTP_PORT = int(os.environ["PEER_SMTP_PORT"])
TOKEN_KEY = OctKey.import_key(os.environ["PEER_TOKEN_KEY"])
WEB_CONNECTIONS = 16
SENDER = "einladung@example.org"
LINKS = "https://example.org/besuch/"
TIME_ZONE = "Europe/Berlin"
