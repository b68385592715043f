#!/usr/bin/env bash
# dev_help.sh SOURCE_DIR: ./dev help has a line for every command of ./dev, and what is no command says so.
set -uo pipefail
cd "$1" || exit 1
fail() { echo "dev_help.sh: $1"; exit 1; }

help=$(./dev help) || fail "./dev help ends with $?"
[ "$(./dev --help)" = "$help" ] || fail "./dev --help says something else"
[ "$(./dev demo --help)" = "$help" ] || fail "./dev demo --help does something else"
commands=$(sed -n 's/^command_\([a-z]*\)() .*/\1/p' dev)
[ "$(wc -w <<<"$commands")" -ge 10 ] || fail "found only these commands in dev: $commands"
for command in $commands; do
  grep -qE "^  $command( [A-Z]+)*  +[^ ]" <<<"$help" || fail "./dev help has no line for $command"
done

for words in "" nonsense; do
  # shellcheck disable=SC2086
  out=$(./dev $words 2>/dev/null); code=$?
  [ "$code:$out" = 2: ] || fail "./dev $words: exit code $code, expected 2 and nothing on stdout"
done
[ "$(./dev nonsense 2>&1)" = './dev: there is no command nonsense; see ./dev help' ] || fail "nonsense is not named"
