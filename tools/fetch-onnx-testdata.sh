#!/usr/bin/env bash
# fetch-onnx-testdata.sh [CACHE_DIR] - unpack Debian's libonnx-testdata (official ONNX test data) and print
# the path of its data directory (node, simple, pytorch-operator, pytorch-converted, light, real).
#
# The package is "architecture all" without dependencies; it is only unpacked, never installed, so this runs
# as any user and on any Debian. Debian 12's own version lacks the light models, hence a newer suite:
# SUITE=sid (default) or trixie. The mirror is the one this machine already uses (MIRROR=... overrides).
# The second run finds the unpacked files and needs no network. Default cache: $XDG_CACHE_HOME/onnx-testdata.
set -euo pipefail
suite=${SUITE:-sid}
cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/onnx-testdata}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
out=$cache/$suite data=$cache/$suite/usr/share/libonnx-testdata/data
if [ -e "$out/.ok" ] && [ -d "$data/node" ]; then echo "$data"; exit; fi

mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's|\(.*/debian\)/*$|\1|p' | sed -n 1p)}
: "${mirror:?no Debian mirror in the apt sources: run apt-get update first, or set MIRROR}"

apt=$cache/apt-$suite
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"; : > "$apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/sources.list"
cat > "$apt/apt.conf" <<EOF
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "$apt/lists/partial";
APT::Sandbox::User "";
Acquire::Languages "none";
EOF
export APT_CONFIG=$apt/apt.conf
cd "$apt"
rm -f libonnx-testdata_*.deb
apt-get update -qq >&2
apt-get download -qq libonnx-testdata >&2
rm -rf "$out.new" "$out"
dpkg-deb -x libonnx-testdata_*.deb "$out.new"
mv "$out.new" "$out"; touch "$out/.ok"
rm -rf "$apt"                                   # lists and archive: some 100 MB nobody needs again
[ -d "$data/node" ] || { echo "no data/node in libonnx-testdata of $suite" >&2; exit 1; }
echo "$data"
