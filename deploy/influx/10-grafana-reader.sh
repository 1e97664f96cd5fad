#!/bin/sh
# Runs once, when the InfluxDB volume is new: a user for Grafana's InfluxQL datasource, who reads single readings and
# the means for plots of long spans, and writes nothing.
# The bucket needs no mapping for InfluxQL: InfluxDB 2.7 serves a bucket under its own name as a database.
set -eu
name=$DOCKER_INFLUXDB_INIT_BUCKET
# `plantroom db upgrade` sets how long they keep.
for means in "${name}_mean_5m" "${name}_mean_1h"; do
    influx bucket create --name "$means" --org "$DOCKER_INFLUXDB_INIT_ORG" --retention 0 > /dev/null
done
set --
for one in "$name" "${name}_mean_5m" "${name}_mean_1h"; do
    set -- "$@" --read-bucket "$(influx bucket list --name "$one" --hide-headers | cut -f 1)"
done
influx v1 auth create --username grafana --password "$GRAFANA_INFLUX_PASSWORD" "$@" \
    --org "$DOCKER_INFLUXDB_INIT_ORG" --description "Grafana reads" > /dev/null
