# SPDX-License-Identifier: MIT
# Completion of npu for bash: commands, their options, device strings, files.  What there is, npu
# tells itself.

_npu_device() { # CUR: the forms of a device string, then what they take
	local cur=$1 kind
	for kind in vfio-user npud; do
		if [[ $cur == $kind:* ]]; then
			mapfile -t COMPREPLY < <(compgen -P "$kind:" -f -- "${cur#"$kind:"}")
			compopt -o filenames
			return
		fi
	done
	mapfile -t COMPREPLY < <(compgen -W "$(npu list 2>/dev/null | awk '/^[a-z-]+:/ { print $1 }') vfio-user: npud:" -- "$cur")
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace
}

_npu() {
	local cur prev line=${COMP_LINE:0:COMP_POINT} words
	# a colon divides words for readline, not for us
	read -ra words <<<"$line"
	[[ $line == *" " ]] && words+=("")
	cur=${words[-1]} prev=${words[-2]:-}
	COMPREPLY=()
	if [[ ${#words[@]} -le 2 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(npu --help | awk '/^  [a-z]+ / { print $1 }')" -- "$cur")
	elif [[ $prev == --device ]]; then
		_npu_device "$cur"
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(npu "${words[1]}" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u)" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
	fi
	if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then # readline replaces what follows the colon
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
	fi
}

complete -F _npu npu
