#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the Debian packages that are missing: scripts/debian-packages.sh PACKAGE...
# As root, or with a sudo that asks for no password; otherwise say what to run, and fail.
# PACKAGE? is installed where this release of Debian has it and there is the right to, and is left out otherwise.
set -eu

missing=
for package in "$@"; do
  name=${package%\?}
  dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' && continue
  [ "$name" = "$package" ] || apt-cache show "$name" >/dev/null 2>&1 || continue
  [ "$name" = "$package" ] || [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || continue
  missing="$missing $name"
done
[ -z "$missing" ] && exit 0

command="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
  sudo=
elif sudo -n true 2>/dev/null; then
  sudo="sudo -n"
else
  echo "These Debian packages are needed: run" >&2
  echo "  sudo $command" >&2
  exit 1
fi
echo "installing$missing"
log=$(mktemp)
if ! { $sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $sudo $command; } >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
rm -f "$log"
