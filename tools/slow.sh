#!/bin/sh
# Runs a command that may take minutes. Once it takes a while, this says what is done and how long that takes, and then
# that it is still going on.
#
#   slow.sh WHAT HOW-LONG COMMAND [ARGUMENT...]
what=$1 long=$2
shift 2

(
  seconds=0
  # It looks for its parent, too: a shell's background does not get the terminal's Ctrl-C.
  while sleep 1 && kill -0 $$ 2>/dev/null; do
    seconds=$((seconds + 1))
    if [ "$seconds" -eq 3 ]; then echo "Building $what. It takes $long, once." >&2; fi
    if [ $((seconds % 30)) -eq 0 ]; then echo "  still building $what, for $seconds s" >&2; fi
  done
) &
progress=$!
"$@"
status=$?
kill "$progress" 2>/dev/null
exit "$status"
