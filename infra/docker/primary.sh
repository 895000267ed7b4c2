#!/usr/bin/env bash
# Run once by postgres' image on a new primary: who may replicate, and who may read what the sensor app writes.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" <<'SQL'
create role replicator login replication password 'replicator';
create role predictor_reader login password 'reader';
grant pg_monitor to predictor_reader;
alter default privileges in schema public grant select on tables to predictor_reader;
SQL
echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"
