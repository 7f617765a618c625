#!/bin/bash
# Stand-in: what the official entry point does with the variables that we use.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 0700 "$PGDATA" "$(dirname "$PGDATA")"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$(mktemp)
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
    cat "$POSTGRES_PASSWORD_FILE" >"$password"
  else
    printf '%s' "$POSTGRES_PASSWORD" >"$password"
  fi
  # shellcheck disable=SC2086 # several arguments on purpose, as in the official image
  initdb --username=postgres --pwfile="$password" --auth-host=scram-sha-256 --auth-local=trust \
    --encoding=UTF8 ${POSTGRES_INITDB_ARGS:-}
  rm "$password"
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
