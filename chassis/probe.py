"""Health check of a container: `python -m chassis.probe PORT [PATH]` exits with 0 for a 200.

Where HTTP is not answered it asks over TLS. Whose certificate it is does not matter: what is asked
is this machine, and it is told nothing.
"""

import http.client
import ssl
import sys

TIMEOUT = 6.0  # seconds; longer than the readiness check may take


def healthy(port: int, path: str) -> bool:
    """Whether this machine answers a GET there with 200, in time."""
    plain = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        return _ok(plain, path)
    except (http.client.HTTPException, ConnectionResetError):
        unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unchecked.check_hostname = False
        unchecked.verify_mode = ssl.CERT_NONE
        encrypted = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=TIMEOUT, context=unchecked
        )
    except OSError:
        return False
    try:
        return _ok(encrypted, path)
    except (http.client.HTTPException, OSError):
        return False


def _ok(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    finally:
        connection.close()


def main(port: str, path: str = "/health/ready") -> int:
    """Command line."""
    return 0 if healthy(int(port), path) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
