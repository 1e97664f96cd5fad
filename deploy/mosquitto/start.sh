#!/bin/sh
# Starts Mosquitto, and with "reload" makes a running one read its users and access list again; no connection ends.
# Users of devices and what each may write come from `plantroom mqtt credentials`. They are put together in memory, so
# that no file has to be readable by the broker's own user.
set -eu
umask 077
made=${MOSQUITTO_RUN:-/run/mosquitto}
config=${MOSQUITTO_CONFIG:-/mosquitto/config}
devices=${MOSQUITTO_DEVICES:-/mosquitto/devices}

cat "$devices/passwords" > "$made/passwords.new"
cat "$config/acl" "$devices/acl" > "$made/acl.new"
mosquitto_passwd -b "$made/passwords.new" plantroom "$PLANTROOM_PASSWORD"
for shard in ${PLANTROOM_SHARDS:-}; do # the ingest of each further shard is a user of its own, with the same password
    mosquitto_passwd -b "$made/passwords.new" "plantroom-$shard" "$PLANTROOM_PASSWORD"
    sed -e "s/^user plantroom\$/user plantroom-$shard/" -e "s|/heartbeat\$|/heartbeat/$shard|" "$config/acl" >> "$made/acl.new"
done
case ",${COMPOSE_PROFILES:-}," in *,simulator,*)
    mosquitto_passwd -b "$made/passwords.new" simulator "$SIMULATOR_PASSWORD"
    cat "$config/acl-simulator" >> "$made/acl.new" ;;
esac
mv "$made/passwords.new" "$made/passwords"
mv "$made/acl.new" "$made/acl"

if [ "${1:-}" = reload ]; then
    exec kill -HUP 1
fi
exec mosquitto -c "${MOSQUITTO_FILE:-$config/mosquitto.conf}"
