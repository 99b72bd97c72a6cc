# What tests on real hosts start from: a bed for all tests of a file, and a way to wait. `load` it, and call make_bed in
# setup_file and end_bed in teardown_file.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0

CHECKOUT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd -P)

host() {
    "$CHECKOUT/.ci/host" "$@"
}

# make_bed: GPUQ_BED is its process. It ends with the runner of the file, also when that is killed.
make_bed() {
    ((EUID == 0)) || skip 'an ordinary user cannot make hosts: their mounts, devices and network need root'
    unshare --net --mount --pid --cgroup --fork true 2>/dev/null || skip 'root may make no namespaces here, as in a container without privileges'
    host image # says what it does, and why it cannot
    "$CHECKOUT/.ci/host" bed sleep infinity </dev/null >/dev/null 2>"$BATS_FILE_TMPDIR/bed" 3>&- 4>&- & # not by a function: $! is it
    export GPUQ_BED=$!
}

end_bed() {
    [[ ${GPUQ_BED:-} ]] || return 0
    kill "$GPUQ_BED"
    wait "$GPUQ_BED" || true
    cat -- "$BATS_FILE_TMPDIR/bed" >&2
}

# a_user HOST NAME: an ordinary user, who may run units without being logged in.
a_user() {
    # shellcheck disable=SC2016 # the host expands it
    host console "$1" bash -c 'useradd --create-home --shell /bin/bash "$0" && loginctl enable-linger "$0"' "$2"
    until_true host console "$1" systemctl is-active --quiet "user@$(host console "$1" id -u "$2")"
}

# until_true COMMAND…: waits for a condition, and says which one did not come within half a minute.
until_true() {
    local -r until=$((SECONDS + 30))
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= until)); then
            printf 'in vain: %s\n' "$*"
            return 1
        fi
        sleep 0.02
    done
}
