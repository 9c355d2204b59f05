# bash completion for holon: `holon complete` knows how the line could go on.

_holon() {
	local i word line=() reply=() part=
	COMPREPLY=()
	# bash takes names apart at colons and equals signs: put together again
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ ${#line[@]} -gt 0 ] && { [[ $word == [:=] ]] || [[ ${COMP_WORDS[i - 1]} == [:=] ]]; }; then
			line[${#line[@]} - 1]+=$word
		else
			line+=("$word")
		fi
	done
	mapfile -t reply < <("${COMP_WORDS[0]}" complete -- "${line[@]}" 2>/dev/null)
	word=${COMP_WORDS[COMP_CWORD]}
	case ${reply[0]-} in
	:files) mapfile -t COMPREPLY < <(compgen -f -- "$word") && compopt -o filenames 2>/dev/null ;;
	:dirs) mapfile -t COMPREPLY < <(compgen -d -- "$word") && compopt -o filenames 2>/dev/null ;;
	*)
		# what stands before the last of them is there already
		[[ $COMP_WORDBREAKS != *:* || ${line[-1]-} != *:* ]] || part=${line[-1]%"${line[-1]##*:}"}
		COMPREPLY=("${reply[@]#"$part"}")
		[ ${#COMPREPLY[@]} -ne 1 ] || [[ ${COMPREPLY[0]} != *[/:] ]] || compopt -o nospace 2>/dev/null
		;;
	esac
}

complete -F _holon holon
