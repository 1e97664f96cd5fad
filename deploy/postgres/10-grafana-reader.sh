#!/bin/sh
# Runs once, when the PostgreSQL volume is new: a user for Grafana who reads the views of the schema grafana and nothing
# else. `plantroom db upgrade` makes the views. It may run again: on a database that is there already, say, or to change
# the password.
set -eu
psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner="$POSTGRES_USER" --set database="$POSTGRES_DB" --set password="$GRAFANA_POSTGRES_PASSWORD" <<'SQL'
SELECT 'CREATE ROLE grafana' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana') \gexec
ALTER ROLE grafana LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
ALTER ROLE grafana SET search_path = grafana;
GRANT CONNECT ON DATABASE :"database" TO grafana;
CREATE SCHEMA IF NOT EXISTS grafana AUTHORIZATION :"owner";
GRANT USAGE ON SCHEMA grafana TO grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA grafana TO grafana;
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA grafana GRANT SELECT ON TABLES TO grafana;
SQL
