# SPDX-License-Identifier: MIT
# Sourced by ./demo and ./check: need PACKAGE... installs what is missing (as root), or prints the
# one line that does, and stops.

need() {
	local missing=()
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "Missing packages.  Run this, then try again:" >&2
		echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
		exit 1
	fi
	echo "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >/dev/null || true
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >"${TMPDIR:-/tmp}/npu-apt.log" 2>&1 || {
		tail -5 "${TMPDIR:-/tmp}/npu-apt.log" >&2
		echo "could not install ${missing[*]}" >&2
		exit 1
	}
}

# What a build needs; python3 comes with meson.
build_packages="gcc libc6-dev meson ninja-build pkg-config libcmocka-dev libpng-dev libdnnl-dev libseccomp-dev"
python=/usr/bin/python3

# configure DIR OPTION...: meson setup once, again if the options changed
configure() {
	local dir=$1
	shift
	local want="${CC:-cc} $*"
	if [ "$(cat "$dir/.options" 2>/dev/null)" != "$want" ]; then
		rm -rf "$dir"
		meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; return 1; }
		echo "$want" >"$dir/.options"
		rm -f "$dir.log"
	fi
}

# build DIR: quiet unless it fails
build() {
	ninja -C "$1" >"$1/build.log" 2>&1 || { grep -E 'error|warning|FAILED|ERROR' -A6 "$1/build.log" | head -60 >&2; return 1; }
}

# link_bin DIR: programs under DIR/bin, as the documentation names them
link_bin() {
	mkdir -p "$1/bin"
	ln -sf ../src/cli/npu "$1/bin/npu"
	ln -sf ../src/vfu/vnpu "$1/bin/vnpu"
	ln -sf ../src/npud/npud "$1/bin/npud"
}

# programs: all of them, in build/; every script wants the same build
programs() {
	configure build -Dwerror=true && build build && link_bin build
}
