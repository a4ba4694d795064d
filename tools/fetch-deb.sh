#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch-deb.sh SUITE PACKAGE - unpack a package of another Debian suite and print where it lies.
#
# Nothing is installed: the package is unpacked under .cache/debian/SUITE/PACKAGE (or
# $NPU_CACHE/SUITE/PACKAGE), as any user.  The mirror is the one this machine's apt already uses.
# The second call finds the unpacked files and needs no network.
set -euo pipefail
[ $# -eq 2 ] || { sed -n 3,8p "$0" >&2; exit 2; }
suite=$1 package=$2
cache=${NPU_CACHE:-$(cd "$(dirname "$0")/.." && pwd)/.cache/debian}
out=$cache/$suite/$package
[ -e "$out/.ok" ] && { echo "$out"; exit; }

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
	sed -n 's|\(.*/debian\)/*$|\1|p' | sed -n 1p)
: "${mirror:?no Debian mirror in the apt sources: run apt-get update first}"

apt=$cache/apt-$suite
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main contrib non-free-firmware" >"$apt/sources.list"
cat >"$apt/apt.conf" <<EOF
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
rm -f ./"$package"_*.deb
[ -n "$(find lists -maxdepth 1 -name '*Packages*' -mtime -1)" ] || apt-get update -qq >&2
apt-get download -qq "$package" >&2
rm -rf "$out.new" "$out"
mkdir -p "$(dirname "$out")"
dpkg-deb -x ./"$package"_*.deb "$out.new"
mv "$out.new" "$out"
rm -f ./"$package"_*.deb
touch "$out/.ok"
echo "$out"
