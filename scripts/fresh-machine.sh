#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prove that the project builds and passes its tests on a machine that has almost nothing installed.
#
#   sudo scripts/fresh-machine.sh trixie                       # make demo, then make test, on Debian 13
#   sudo scripts/fresh-machine.sh bookworm 'make demo'         # only this, on Debian 12
#
# It needs root. It makes a minimal Debian system in FOLDER, with nothing but python3, make, g++, git and
# ca-certificates, clones the current commit into it, and runs each command there, in a shell of its own.
#
#   FOLDER   where the systems and the logs are: build/fresh, unless the variable is set. Each release needs some
#            gigabytes. The bare system is kept, so that the next run is quick; `rm -r` of the folder starts anew.
#   MIRROR   where Debian's packages come from: http://deb.debian.org/debian, unless the variable is set
#
# The system also gets what this machine needs to reach the package registries, where there is such a thing: settings of
# apt, pip, proxies and certificates, and the local folders that pip's settings name. All mounts are private to this
# script and disappear with it, however it ends.
set -euo pipefail

usage() {
  echo "usage: $0 RELEASE [COMMAND...], where RELEASE is a Debian release such as bookworm or trixie" >&2
  exit 2
}
[ $# -ge 1 ] && [[ $1 =~ ^[a-z]+$ ]] || usage
if [ "$(id -u)" != 0 ]; then
  echo "$0 needs root, because it makes a system of its own and enters it: run it with sudo" >&2
  exit 1
fi
if [ -z "${FRESH_MACHINE_INSIDE:-}" ]; then
  FRESH_MACHINE_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi

release=$1
shift
[ $# -gt 0 ] || set -- 'make demo' 'make test'
repository=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mkdir -p "${FOLDER:=$repository/build/fresh}" && cd "$FOLDER" && pwd)
base=$folder/$release-base
root=$folder/$release
packages="python3 make g++ git ca-certificates"
commit=$(git -C "$repository" rev-parse HEAD)
[ -z "$(git -C "$repository" status --porcelain)" ] || echo "Changes that are not committed are left out."

"$repository/scripts/debian-packages.sh" debootstrap debian-archive-keyring

rm -rf --one-file-system "$root"
if [ ! -d "$base" ]; then
  echo "making a minimal $release"
  rm -rf --one-file-system "$base.part"
  debootstrap --variant=minbase --include="${packages// /,}" "$release" "$base.part" \
    "${MIRROR:-http://deb.debian.org/debian}" >"$folder/$release-debootstrap.log"
  rm -f "$base.part"/var/cache/apt/archives/*.deb
  mv "$base.part" "$base"
fi
cp -a "$base" "$root"

# Copy a file or folder of this machine to the same place in the new system.
copy() { [ ! -e "$1" ] || { mkdir -p "$root$(dirname "$1")" && cp -rL "$1" "$root$(dirname "$1")"; }; }
# Show a folder of this machine at the same place in the new system.
show() { mkdir -p "$root$1" && mount --bind "$1" "$root$1" && mount -o remount,bind,ro "$root$1"; }
inside() { chroot "$root" env -i HOME="$HOME" PATH="$PATH" TERM="${TERM:-dumb}" "${settings[@]}" "$@"; }
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
copy /etc/resolv.conf
copy /etc/hosts
copy /usr/local/share/ca-certificates
apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/99host" || true

# Settings of the environment: those of pip, of proxies, and of certificates
mapfile -t settings < <(env | grep -E '^(PIP_\w+|\w+_(proxy|PROXY)|SSL_CERT_\w+|(REQUESTS|CURL)_CA_BUNDLE|GIT_SSL_\w+)=')
pip_files=(/etc/pip.conf /etc/xdg/pip "$HOME/.config/pip" "$HOME/.pip")
for file in "${pip_files[@]}"; do copy "$file"; done

# The files and folders that pip's settings name. Pages of an index refer to files beside the index's own folder.
for path in $( { printf '%s\n' "${settings[@]}"; cat $(find "${pip_files[@]}" -type f 2>/dev/null); } |
  grep -oE '(file://)?/[^ ,:]+' | sort -u); do
  [[ $path != file://* ]] || path=$(dirname "${path#file://}")
  if [ -d "$path" ] && [ ! -e "$root$path" ]; then
    show "$path"
  elif [ -f "$path" ] && [ ! -e "$root$path" ]; then
    copy "$path"
  fi
done
inside update-ca-certificates >/dev/null

git -C "$repository" bundle create --quiet "$root/tmp/project.bundle" HEAD
inside git -c advice.detachedHead=false -c init.defaultBranch=main clone --quiet /tmp/project.bundle /tmp/project

summary="$release ($(inside python3 --version)), commit ${commit:0:10}:"
failed=0
for command in "$@"; do
  echo "== $release: $command"
  SECONDS=0
  if inside sh -c "cd /tmp/project && $command" </dev/null; then outcome=passed; else outcome=FAILED failed=1; fi
  summary+=$(printf '\n  %s  %4d s  %s' "$outcome" "$SECONDS" "$command")
done
echo "$summary"
exit $failed
