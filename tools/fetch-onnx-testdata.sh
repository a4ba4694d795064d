#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch-onnx-testdata.sh [CACHE_DIR] - unpack Debian's libonnx-testdata (official ONNX test data) and
# print the path of its data directory: node, simple, pytorch-operator, pytorch-converted, light, real.
#
# The package is "architecture all" without dependencies; it is only unpacked, never installed (see
# fetch-deb.sh, which also says where the cache is without CACHE_DIR), so this runs as any user and on
# any Debian.  Debian 12's own version lacks the light models, hence a newer suite: SUITE=sid (default)
# or SUITE=trixie.  The second run needs no network.
set -euo pipefail
if [ $# -gt 0 ]; then
	mkdir -p "$1"
	NPU_CACHE=$(cd "$1" && pwd)
	export NPU_CACHE
fi
data=$("$(dirname "$0")/fetch-deb.sh" "${SUITE:-sid}" libonnx-testdata)/usr/share/libonnx-testdata/data
[ -d "$data/node" ] || { echo "no test data in libonnx-testdata of ${SUITE:-sid}" >&2; exit 1; }
echo "$data"
