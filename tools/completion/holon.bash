# bash completion for holon: commands come from `holon --list-commands`, flags from `holon COMMAND --help`.

_holon_words() { # the words of the command line that are neither flags nor values of global flags
	local i=1
	while [ "$i" -lt "$COMP_CWORD" ]; do
		case ${COMP_WORDS[i]} in
		--endpoint | --node | --timeout | --server-key | --client-key | --person) i=$((i + 1)) ;;
		-*) ;;
		*) printf '%s\n' "${COMP_WORDS[i]}" ;;
		esac
		i=$((i + 1))
	done
}

_holon() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words commands command
	COMPREPLY=()
	case $previous in
	--node | --dir | --org | --person)
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		return
		;;
	--map | --passphrase-file | --bundle | --endpoint | --client-key)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	esac
	mapfile -t words < <(_holon_words)
	commands=$(holon --list-commands 2>/dev/null)
	if [[ $current == -* ]]; then
		command="${words[0]-} ${words[1]-}"
		grep -qxF -- "$command" <<<"$commands" || command=${words[0]-}
		# shellcheck disable=SC2086 # one or two words
		mapfile -t COMPREPLY < <(compgen -W "$(holon $command --help 2>/dev/null |
			sed -n 's/^  \(--[a-z-]*\).*/\1/p')" -- "$current")
	elif [ ${#words[@]} -eq 0 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$commands" | sort -u)" -- "$current")
	elif [ ${#words[@]} -eq 1 ] && grep -q "^${words[0]} " <<<"$commands"; then
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^${words[0]} //p" <<<"$commands")" -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -F _holon holon
