#!/bin/sh
# The project names no machine it was made on, no directory of one, and no package registry.
. "$(dirname "$0")/lib.sh"

machine='(^|[^A-Za-z0-9_.$}-])/(work|home|root|mnt|media|Users|private)/'
scratch='/tmp/(b-|bash|claude|[a-z]+-build)'
registry='(deb\.debian\.org|pypi\.org|pythonhosted|registry\.npmjs|crates\.io|proxy\.golang|docker\.io|ghcr\.io|quay\.io)'
files '*' | grep -v -e '^tests/checks/names\.sh$' -e '^LICENSE$' |
	xargs -d '\n' grep -nIE "$machine|$scratch|$registry" | none 'names of a machine or of a registry'
