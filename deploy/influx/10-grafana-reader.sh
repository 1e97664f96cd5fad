#!/bin/sh
# Runs once, when the InfluxDB volume is new: a read-only user for Grafana's InfluxQL datasource.
# The bucket needs no mapping for InfluxQL: InfluxDB 2.7 serves a bucket under its own name as a database.
set -eu
bucket=$(influx bucket list --name "$DOCKER_INFLUXDB_INIT_BUCKET" --hide-headers | cut -f 1)
influx v1 auth create --username grafana --password "$GRAFANA_INFLUX_PASSWORD" --read-bucket "$bucket" \
    --org "$DOCKER_INFLUXDB_INIT_ORG" --description "Grafana reads" > /dev/null
