# The root file system that all test hosts start from: Debian with systemd, sshd and what jobs need, and nothing of this machine.
# Needs strict.bash and cache.bash. This file is the recipe: a change of it makes a new one.

readonly IMAGE_SUITE=trixie
readonly IMAGE_PACKAGES=(systemd systemd-sysv dbus dbus-user-session libpam-systemd openssh-server passwd sudo python3 python3-apt procps iproute2
    iputils-ping util-linux curl rsync strace jq bats squashfuse fuse-overlayfs apptainer)

# Apptainer is not in the stable suite. It alone comes from the unstable one, and installs there as it is.
readonly IMAGE_PINS='Package: *
Pin: release n=sid
Pin-Priority: -10

Package: apptainer
Pin: release n=sid
Pin-Priority: 900'

# image::ensure: makes CACHED the folder of the image.
image::ensure() {
    cache::ensure host "$ROOT/.ci/lib/image.bash" image::make
}

# image::make FOLDER
image::make() {
    local -r folder=$1 log=$1.log began=${EPOCHREALTIME/./}
    local mirror
    mirror=$(image::mirror)
    say building "the root file system of the test hosts with mmdebstrap, once: about a minute" >&2
    if ! image::bootstrap "$folder" "$mirror" >"$log" 2>&1; then
        tail -n 20 -- "$log" >&2
        die "mmdebstrap failed."
    fi
    rm -f -- "$log"
    say built "in $(seconds_since "$began")" >&2
}

# image::bootstrap FOLDER MIRROR
image::bootstrap() (
    local -r folder=$1 mirror=$2
    umask 022
    image::mmdebstrap --include="${IMAGE_PACKAGES[*]}" \
        --dpkgopt='path-exclude=/usr/lib/cni/*' `# 55 MB for networks of containers that have none` \
        --setup-hook="mkdir -p \"\$1/etc/apt/preferences.d\"; printf '%s\n' '$IMAGE_PINS' >\"\$1/etc/apt/preferences.d/apptainer\"" \
        "$IMAGE_SUITE" "$folder" "deb $mirror $IMAGE_SUITE main" "deb $mirror sid main" || return
    image::strip "$folder"
)

# image::mmdebstrap ARGUMENT…: it, and apt in what it makes, ask the mirror the way apt does on this machine: with its proxies and its leniency.
image::mmdebstrap() {
    apt-config dump --format '%F "%v";%n' Acquire | { grep -E '^Acquire::(https?|Check|Allow|Retries)' || true; } |
        mmdebstrap --mode=root --variant=apt \
            --aptopt=/dev/stdin --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
            --dpkgopt='path-exclude=/usr/share/locale/*' "$@"
}

# image::strip FOLDER: a host gets its own name, keys and identity when it is made. There is nothing to update it from.
image::strip() {
    cd -- "$1" || return
    rm -f -- etc/hostname etc/resolv.conf etc/ssh/ssh_host_* etc/systemd/system/timers.target.wants/apt-*
    : >etc/resolv.conf # apptainer wants one
    : >etc/machine-id
    # Whatever user a test makes, the key of its bed opens it, and the user's own file is left to what is tested.
    printf 'AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/bed.pub\n' >etc/ssh/sshd_config.d/bed.conf
}

# image::mirror: the mirror that this machine itself is installed from.
image::mirror() {
    local mirror
    mirror=$(image::sources)
    if [[ -z $mirror ]]; then # apt knows its sources by origin only when it has their lists
        apt-get -qq update >&2
        mirror=$(image::sources)
    fi
    [[ -n $mirror ]] || die "no mirror of Debian is among the sources of apt on this machine: add one to /etc/apt/sources.list.d."
    printf '%s\n' "${mirror%%$'\n'*}"
}

image::sources() {
    # shellcheck disable=SC2016 # apt expands it
    apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' 'Label: Debian' </dev/null
}
