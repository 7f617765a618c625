"""Real mail servers for tests, from Debian's packages, each in a folder and on ports of its own."""
