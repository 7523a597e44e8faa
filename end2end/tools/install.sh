#!/usr/bin/env bash
# Sees to it that the tests find a Chromium and a RabbitMQ: by apt where there is one, else it says what to install.
set -euo pipefail

missing=()
[ -n "${CHROMIUM_PATH:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
  || command -v google-chrome >/dev/null || missing+=(chromium)
command -v rabbitmq-server >/dev/null || [ -x /usr/sbin/rabbitmq-server ] || missing+=(rabbitmq-server)
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "The tests need: ${missing[*]}. There is no apt here; please install them by your package manager," >&2
  echo "and name the browser in CHROMIUM_PATH if it is not called chromium." >&2
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "The tests need: ${missing[*]}. Run as root:  apt-get install -y ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "Installing for the tests: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
