#!/usr/bin/env bash
# Sees to it that the tests find a Chromium, a RabbitMQ, a Redis, a Sidekiq, an nginx, a vsftpd, and a Python and a Ruby with clients and
# servers of others (AMQP, FTP, HTTP, SMTP, ZeroMQ, MessagePack, Protobuf): by apt where there is one, else it says what to install.
set -euo pipefail

# The Python goes into a virtual environment of its own, which the Makefile names to the tests.
install_python() {
  local venv packages=(aiosmtpd==1.4.6 celery==5.7.0 msgpack==1.2.4 pika==1.4.4 protobuf==7.36.2
    pyftpdlib==2.2.0 pyOpenSSL==26.4.0 pyzmq==27.3.0 requests==2.32.5)
  venv="$(dirname "$0")/../../target/tools/python"
  if [ ! -x "$venv/bin/pip" ] || [ "$(cat "$venv/installed" 2>/dev/null)" != "${packages[*]}" ]; then
    echo "Installing for the tests, by pip: ${packages[*]}"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
    echo "${packages[*]}" >"$venv/installed"
  fi
}

missing=()
[ -n "${CHROMIUM_PATH:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
  || command -v google-chrome >/dev/null || missing+=(chromium)
command -v rabbitmq-server >/dev/null || [ -x /usr/sbin/rabbitmq-server ] || missing+=(rabbitmq-server)
command -v redis-server >/dev/null || missing+=(redis-server)
ruby -e 'require "sidekiq"' 2>/dev/null || missing+=(ruby-sidekiq)
ruby -e 'require "serverengine"' 2>/dev/null || missing+=(ruby-serverengine)
ruby -e 'require "bunny"' 2>/dev/null || missing+=(ruby-bunny)
ruby -e 'require "ffi-rzmq"' 2>/dev/null || missing+=(ruby-ffi-rzmq)
ruby -e 'require "msgpack"' 2>/dev/null || missing+=(ruby-msgpack)
ruby -e 'require "google/protobuf"' 2>/dev/null || missing+=(ruby-google-protobuf)
for server in nginx vsftpd; do
  command -v "$server" >/dev/null || [ -x "/usr/sbin/$server" ] || missing+=("$server")
done
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -eq 0 ]; then
  install_python
  exit 0
fi

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
# The tests start servers of their own; without this, apt would start each one as a service of the machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
install_python
