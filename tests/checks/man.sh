#!/bin/bash
# The command table, the manual and the completion say the same.
#
#	man.sh SOURCE-ROOT HOLON
. "$(dirname "$0")/lib.sh"
holon=${2:?usage: man.sh SOURCE-ROOT HOLON}

commands=$("$holon" --list-commands)
[ "$(printf '%s\n' "$commands" | wc -l)" -ge 20 ] || {
	printf 'holon --list-commands names too few commands:\n%s\n' "$commands"
	exit 1
}
# scdoc writes a literal underscore or dash behind a backslash
manual=$(sed 's/\\//g' tools/man/holon.1.scd)
printf '%s\n' "$commands" | while IFS= read -r command; do
	printf '%s\n' "$manual" | grep -qF -- "$command" || printf '%s\n' "$command"
done | none 'commands that holon.1 does not describe'

for page in $(files 'tools/man/*.scd'); do
	scdoc <"$page" >/dev/null || printf '%s\n' "$page"
done | none 'pages that scdoc does not take'

for script in $(files 'tools/completion/*'); do
	# shellcheck disable=SC2016
	bash --norc --noprofile -euc '. "$1"; complete -p holon >/dev/null' - "./$script" 2>&1 ||
		printf '%s does not complete holon\n' "$script"
done | none 'completion that does not load'
[ -n "$(files 'tools/completion/*')" ] || { echo 'no completion script'; exit 1; }
