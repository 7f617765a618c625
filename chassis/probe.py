"""Health check of a container: `python -m chassis.probe PORT [PATH]` exits with 0 for a 200."""

import http.client
import sys

TIMEOUT = 6.0  # seconds; longer than the readiness check may take


def healthy(port: int, path: str) -> bool:
    """Whether this machine answers a GET there with 200, in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def main(port: str, path: str = "/health/ready") -> int:
    """Command line."""
    return 0 if healthy(int(port), path) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
