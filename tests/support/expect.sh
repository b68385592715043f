#!/usr/bin/env bash
# expect.sh EXIT_CODE PATTERN COMMAND...: runs a program and checks its exit code and what it prints on both streams.
# PATTERN is a Perl regular expression and may span lines.
wanted=$1 pattern=$2; shift 2
output=$("$@" 2>&1); code=$?
printf '%s\n' "$output"
[ $code = "$wanted" ] || { echo "expect.sh: exit code $code, expected $wanted"; exit 1; }
printf '%s\n' "$output" | grep -qPz -- "$pattern" || { echo "expect.sh: nothing printed matches: $pattern"; exit 1; }
