#!/bin/sh
# Install what is missing of the Debian packages in a list (one a line, # comments); default: deploy/packages.
# Nothing missing: silent. Works as root or through sudo, and needs no terminal.
#
#	deploy/install.sh [LIST]...
#	deploy/install.sh --bench
#
# --bench installs the peers of holon-bench (deploy/packages.bench). None of them is left running as a service.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bench=false
if [ "${1-}" = --bench ]; then
	bench=true
	shift
	set -- "$here/packages.bench" "$@"
fi
[ $# -gt 0 ] || set -- "$here/packages"

die() {
	printf 'install.sh: %s\n' "$*" >&2
	exit 1
}

for list; do
	[ -r "$list" ] || die "cannot read the package list $list"
done
command -v dpkg-query >/dev/null || die "this is not a Debian system: install what $* lists by hand"

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $(sed 's/#.*//' "$@"); do
	installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif ! command -v sudo >/dev/null; then
	die "missing:$missing; install them, or run this as root"
elif [ -t 0 ]; then
	as_root=sudo
else
	as_root='sudo -n'
fi

# Debian starts a server as soon as it is installed, unless this file says no.
rc_policy=/usr/sbin/policy-rc.d
quiet_services() {
	[ ! -e $rc_policy ] || return 0
	trap '$as_root rm -f $rc_policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $rc_policy >/dev/null
	$as_root chmod 755 $rc_policy
}

# Nor may it start with the machine.
disable_services() {
	command -v systemctl >/dev/null || return 0
	for package in $missing; do
		case $package in
		postgresql | redis-server | victoria-metrics)
			$as_root systemctl disable "$package" || echo "install.sh: $package stays enabled" >&2
			;;
		esac
	done
}

echo "Installing from Debian:$missing"
! $bench || quiet_services
# shellcheck disable=SC2086 # as_root and missing are lists of words
{
	$as_root apt-get -q update
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends $missing
} </dev/null || die "apt-get failed; missing:$missing"
! $bench || disable_services
