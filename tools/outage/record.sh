#!/bin/sh
# Records the demo's outage on a machine of its own, as far as the recording can tell: a host name, a machine id,
# processes and a network apart from ours. Needs root, Redis, PostgreSQL and Prometheus: tools/outage/record.sh OUT
set -eu
cd "$(dirname "$0")/../.."
exec unshare --uts --pid --net --mount --fork --mount-proc sh -c '
  hostname shop-1
  folder=$(mktemp -d); echo 5b0c2f6d8a3e4f1c9d7e6a5b4c3d2e1f > "$folder/machine-id"
  mount --bind "$folder/machine-id" /etc/machine-id 2>/dev/null || true
  ip link set lo up
  ip link add eth0 type veth peer name uplink0 && ip link set uplink0 up && ip addr add 10.20.0.11/24 dev eth0 && ip link set eth0 up
  exec .venv/bin/python -m tools.outage.record "$@"' record "$@"
