#!/bin/sh
# Runs the module's tests against a Chainguard platform on this machine: no account, no internet but for `init`.
#
#   EMULATOR=path/to/emulator TERRAFORM=tofu ./test.sh [further arguments of `terraform test`]
set -eu

# A path to it is one from here.
emulator=${EMULATOR:-emulator}
case $emulator in */*) emulator=$(cd "$(dirname "$emulator")" && pwd)/$(basename "$emulator") ;; esac
cd "$(dirname "$0")"

# Start it. The env file tells where it serves and has a token for it; it is written once it serves, in one step.
folder=$(mktemp -d)
"$emulator" serve --seed tests/platform.yaml --env-file "$folder/platform.env" >"$folder/log" 2>&1 &
serving=$!

# Stop it, whatever happens.
trap 'kill "$serving" 2>/dev/null || true; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# Wait for it.
tries=0
until [ -f "$folder/platform.env" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ] || ! kill -0 "$serving" 2>/dev/null; then
    cat "$folder/log" >&2
    exit 1
  fi
  sleep 0.1
done

# Point the provider at it: CHAINGUARD_PLATFORM_API and so on.
set -a
. "$folder/platform.env"
set +a

"${TERRAFORM:-terraform}" init -input=false >/dev/null
"${TERRAFORM:-terraform}" test "$@"
