#!/usr/bin/env bash
# Run once by postgres' image on a new primary: who may replicate, and who may read what the sensor app writes.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" <<'SQL'
create role replicator login replication password 'replicator';
create role predictor_reader login password 'reader';
alter default privileges in schema public grant select on tables to predictor_reader;
-- Whether the standby receives, without pg_monitor, which would show everybody's queries with their values.
create schema replication;
create function replication.receiver() returns table (pid integer, status text, latest_end_lsn pg_lsn)
  language sql security definer set search_path = pg_catalog
  as 'select pid, status, latest_end_lsn from pg_catalog.pg_stat_wal_receiver';
create view replication.pg_stat_wal_receiver as select * from replication.receiver();
grant usage on schema replication to predictor_reader;
grant select on replication.pg_stat_wal_receiver to predictor_reader;
alter role predictor_reader set search_path = replication, pg_catalog, public;
SQL
echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"
