#!/usr/bin/env bash
# Runs a command with a RabbitMQ of its own: fresh, on loopback only, gone afterwards.
# Use: with-rabbitmq.sh COMMAND…   The command finds it in SKUFLOW_TEST_RABBITMQ_URL, and its management API in
# SKUFLOW_TEST_RABBITMQ_MANAGEMENT; with --bare as the first word there is none, and nothing counts along.
set -euo pipefail

plugins=rabbitmq_management
if [ "${1:-}" = --bare ]; then
  plugins=''
  shift
fi
if [ $# -eq 0 ]; then
  echo "use: $0 [--bare] COMMAND…" >&2
  exit 2
fi

# Debian's wrapper in /usr/sbin changes the user; the script that it wraps does not.
server=/usr/lib/rabbitmq/bin/rabbitmq-server
[ -x "$server" ] || server=$(command -v rabbitmq-server) || {
  echo "There is no rabbitmq-server here: run end2end/tools/install.sh, or install it by hand." >&2
  exit 1
}
epmd=$(command -v epmd || ls /usr/lib/erlang/erts-*/bin/epmd 2>/dev/null | head -n 1) || true
[ -n "$epmd" ] || { echo "Erlang's port mapper, epmd, is missing; it comes with Erlang." >&2; exit 1; }

free_ports() {
  node -e '
    const { createServer } = require("node:net");
    const servers = Array.from({ length: 4 }, () => createServer().listen(0, "127.0.0.1"));
    Promise.all(servers.map((s) => new Promise((done) => s.on("listening", done)))).then(() => {
      console.log(servers.map((s) => s.address().port).join(" "));
      servers.forEach((s) => s.close());
    });'
}

room=$(mktemp -d "${TMPDIR:-/tmp}/skuflow-rabbitmq.XXXXXX")
read -r amqp_port dist_port epmd_port management_port < <(free_ports)
epmd_pid='' rabbit_pid=''

stop() {
  status=$?
  trap - EXIT INT TERM
  for pid in $rabbit_pid $epmd_pid; do
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || continue 2
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
  done
  rm -rf "$room"
  exit $status
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A port mapper of our own, in the foreground: one started by RabbitMQ would outlive it, and a foreign one
# may belong to another user.
ERL_EPMD_ADDRESS=127.0.0.1 "$epmd" -port "$epmd_port" >"$room/epmd.log" 2>&1 &
epmd_pid=$!

mkdir -p "$room/log" "$room/mnesia"
printf '[%s].\n' "$plugins" >"$room/enabled_plugins"
cat >"$room/rabbitmq.conf" <<CONF
listeners.tcp.default = 127.0.0.1:$amqp_port
log.console = false
log.file.level = warning
disk_free_limit.absolute = 50MB
CONF
[ -z "$plugins" ] || cat >>"$room/rabbitmq.conf" <<CONF
management.tcp.ip = 127.0.0.1
management.tcp.port = $management_port
CONF
# "Under systemd" means to RabbitMQ's script: stay one process, whose pid is the one that we know.
env -u RABBITMQ_NODE_PORT \
  HOME="$room" \
  ERL_EPMD_PORT="$epmd_port" \
  RABBITMQ_RUNNING_UNDER_SYSTEMD=true \
  RABBITMQ_NODENAME="skuflow-$$@localhost" \
  RABBITMQ_DIST_PORT="$dist_port" \
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
  RABBITMQ_CONFIG_FILE="$room/rabbitmq.conf" \
  RABBITMQ_MNESIA_BASE="$room/mnesia" \
  RABBITMQ_LOG_BASE="$room/log" \
  RABBITMQ_ENABLED_PLUGINS_FILE="$room/enabled_plugins" \
  "$server" >"$room/rabbitmq.out" 2>&1 &
rabbit_pid=$!

for second in $(seq 60); do
  if (: <"/dev/tcp/127.0.0.1/$amqp_port") 2>/dev/null; then
    break
  fi
  if ! kill -0 "$rabbit_pid" 2>/dev/null || [ "$second" -eq 60 ]; then
    echo "RabbitMQ did not start. Its last words:" >&2
    tail -n 30 "$room/rabbitmq.out" "$room"/log/* >&2 || true
    exit 1
  fi
  sleep 1
done

export SKUFLOW_TEST_RABBITMQ_URL="amqp://guest:guest@127.0.0.1:$amqp_port/%2f"
export BROKER_TEST_RABBITMQ_URL="$SKUFLOW_TEST_RABBITMQ_URL"
[ -z "$plugins" ] || export SKUFLOW_TEST_RABBITMQ_MANAGEMENT="http://guest:guest@127.0.0.1:$management_port"
echo "RabbitMQ is up on port $amqp_port"
"$@"
