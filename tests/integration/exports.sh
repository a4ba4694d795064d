#!/bin/sh
# SPDX-License-Identifier: MIT
# A shared library shows its public names and nothing else.
# usage: exports.sh LIBRARY PREFIX HEADER: exactly the functions that the header declares
set -eu
shown=$(nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
declared=$(grep -vE '^ \*|^/\*' "$3" | grep -oE "\b$2[a-z0-9_]+\(" | tr -d '(' | sort -u)
bad=$(echo "$shown" | grep -v "^$2" || true)
[ -z "$bad" ] || { echo "$1 shows: $bad"; exit 1; }
for name in $shown; do
	echo "$declared" | grep -qx "$name" || { echo "$name is exported but not in $3"; exit 1; }
done
for name in $declared; do
	echo "$shown" | grep -qx "$name" || { echo "$name is in $3 but not exported"; exit 1; }
done
echo "$(echo "$shown" | wc -l) functions"
