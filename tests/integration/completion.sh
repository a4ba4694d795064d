#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# completion.sh NPU SCRIPT: what a user of bash is offered.
set -uo pipefail
dir=$(mktemp -d)
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT
ln -s "$(realpath "$1")" "$dir/npu"
PATH=$dir:$PATH pid= failed=0 passed=0
compopt() { :; } # there is no completion under way
source "$2"

offers() { # LINE WORD...: all of them
	local word
	COMP_LINE=$1 COMP_POINT=${#1}
	shift
	_npu 2>"$dir/err"
	for word in "$@"; do
		grep -qxF -- "$word" <<<"$(printf '%s\n' "${COMPREPLY[@]}")" ||
			{ echo "FAILED: '$COMP_LINE' lacks $word: ${COMPREPLY[*]} $(cat "$dir/err")"; failed=$((failed + 1)); return; }
	done
	passed=$((passed + 1))
}

offers "npu " run info list fw
offers "npu r" run
offers "npu run --dev" --device
offers "npu info --device " sim:npu37 sim:ref vfio-user: npud:
offers "npu info --device sim:npu4" npu40 # after the colon, as readline wants it
touch "$dir/socket"
offers "npu info --device npud:$dir/so" "$dir/socket"
[ $passed -eq 6 ] && COMPREPLY=() && COMP_WORDBREAKS=" " && offers "npu info --device sim:npu4" sim:npu40
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
