#!/usr/bin/env bash
# A hot standby of the primary at PRIMARY_URL: copied once, then streaming.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  pg_basebackup --dbname "$PRIMARY_URL" --pgdata "$PGDATA" --wal-method stream --checkpoint fast --write-recovery-conf
  chmod 0700 "$PGDATA"
fi
exec postgres
