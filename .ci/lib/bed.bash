# A bed for test hosts: network, mounts, processes and control groups of its own. The machine's are not touched, and all of it ends
# with the bed, however that ends. Needs strict.bash and image.bash.
#
#   outer   the process of the bed, in a network and mounts of its own: /run is the bed's, and /sys/fs/cgroup has the machine's
#           control groups of version 2, wherever the machine keeps them. It outlives the rest by the time it takes to remove the
#           bed's control group, the one thing that does not go away by itself
#   inner   init of the bed's process tree, and root of its control group. It runs the command that the bed is for
#
# The kernel ends outer with its parent (parent-death signal), the starter of inner with outer, inner with its starter
# (kill-child), and everything else with inner. What outer could not remove then, the next bed does.

readonly BED=/run/bed # only those see it who are in a bed
readonly BED_NET=10.77.0
readonly GROUPS_AT=/sys/fs/cgroup

# bed::make [COMMAND…]: becomes outer, and ends as COMMAND ends. $! of whoever started it is the process of the bed.
bed::make() {
    ((EUID == 0)) || die "hosts need root: it makes their mounts, devices and network."
    need mmdebstrap systemd-nspawn ip tc nft ssh ssh-keygen setpriv unshare nsenter flock
    image::ensure
    (($#)) || set -- "${SHELL:-bash}"
    exec setpriv --pdeathsig KILL unshare --net --mount "$ROOT/.ci/host" bed::outer "$CACHED" "$@"
}

bed::outer() { # IMAGE COMMAND…
    local -r image=$1
    local group life status=0
    shift
    mount -t tmpfs -o mode=755 bed /run
    mkdir -m 755 -- /run/lock "$BED" "$BED/image"
    mount --bind -o ro -- "$image" "$BED/image"
    mount -t cgroup2 cgroup2 "$GROUPS_AT"
    bed::claim_group
    # In the background, because bash hears a signal while it waits, and not while a command runs.
    bed::start "$@" <&0 {life}<&- &
    trap 'printf 1 >"$group/cgroup.kill"' TERM HUP
    wait "$!" || status=$?
    trap '' TERM HUP
    bed::remove_group "$group"
    exit "$status"
}

# bed::start COMMAND…: becomes the starter of inner. The group where it is when it unshares is the root of the bed's groups; it moves
# on into a leaf, because only a root without processes can hand controllers down.
bed::start() {
    mkdir -- "$group/bed"
    printf '%d\n' "$BASHPID" >"$group/cgroup.procs"
    # shellcheck disable=SC2016 # the inner sh expands it
    exec setpriv --pdeathsig KILL env --default-signal=INT,QUIT \
        unshare --cgroup sh -c 'echo $$ >"$0/bed/cgroup.procs" && exec "$@"' "$group" \
        unshare --mount --pid --fork --kill-child=KILL "$ROOT/.ci/host" bed::inner "$@"
}

# bed::claim_group: makes group, the bed's control group, and removes those whose bed was killed. A group is locked as long as
# outer lives; where all begin is locked meanwhile, so that nobody takes a new one for an old one.
bed::claim_group() {
    local old turn
    exec {turn}<"$GROUPS_AT"
    flock "$turn"
    for old in "$GROUPS_AT"/gpuq-bed.*; do
        ! flock -n "$old" true || bed::remove_group "$old"
    done
    group=$(mktemp -d -- "$GROUPS_AT/gpuq-bed.XXXXXX")
    exec {life}<"$group" {turn}<&-
    flock "$life"
    printf '%s\n' "$group" >"$BED/group"
}

# bed::remove_group GROUP: kills what is left in it, and takes it away. It is not used again: a group that was killed once
# has new processes killed at birth, by some kernels.
bed::remove_group() {
    local -r until=$((SECONDS + 10))
    [[ -d $1 ]] || return 0
    printf 1 >"$1/cgroup.kill"
    until find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; do
        ((SECONDS < until)) || die "something in $1 does not end: $(cat -- "$1/cgroup.procs" "$1"/*/cgroup.procs)"
        sleep 0.01
    done
}

bed::inner() { # COMMAND…
    local init controller
    read -r init _ </proc/self/stat # still the machine's /proc: our number out there
    mount -t proc proc /proc
    umount -- "$GROUPS_AT" # that was the whole tree; from here there is only ours
    mount -t cgroup2 cgroup2 "$GROUPS_AT"
    for controller in $(<"$GROUPS_AT/cgroup.controllers"); do # what the machine gives, each host gets
        printf '+%s' "$controller" >"$GROUPS_AT/cgroup.subtree_control" || true
    done
    bed::network
    bed::keys
    mknod -m 666 "$BED/fuse" c 10 229 # not the machine's own: a host sets the mode of what it is given
    printf '%d\n' "$init" >"$BED/.init"
    mv -T -- "$BED/.init" "$BED/init" # from now on others may enter
    "$@"
}

# bed::network: a bridge that the hosts are plugged into, and their names. Nothing leads out of it.
bed::network() {
    local number
    ip link set lo up
    ip link add bed type bridge
    ip address add "$BED_NET.1/24" dev bed
    ip link set bed up
    for number in {1..99}; do
        printf '%s.%d h%d\n' "$BED_NET" $((100 + number)) "$number"
    done >"$BED/names"
    cat -- /etc/hosts "$BED/names" >"$BED/hosts"
    chmod 644 -- "$BED/hosts"
    mount --bind -- "$BED/hosts" /etc/hosts
}

# bed::keys: how we log in, and how ssh finds that out.
bed::keys() {
    ssh-keygen -q -t ed25519 -N '' -C bed -f "$BED/key"
    : >"$BED/known_hosts"
    cat >"$BED/ssh_config" <<END
Host h*
    User root
    IdentityFile $BED/key
    IdentitiesOnly yes
    UserKnownHostsFile $BED/known_hosts
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 10
    ServerAliveInterval 5
    ServerAliveCountMax 6
END
}

# bed::enter VERB…: becomes the same command inside of the bed that GPUQ_BED names, as soon as that is ready.
bed::enter() {
    local init group
    [[ ${GPUQ_BED:-} == +([0-9]) ]] || die "there is no bed here: start one with host bed, and set GPUQ_BED to its process."
    local -r there=/proc/$GPUQ_BED/root
    until [[ -f $there$BED/init ]]; do
        [[ -e /proc/$GPUQ_BED ]] || die "the bed $GPUQ_BED has ended."
        sleep 0.02
    done
    init=$(<"$there$BED/init") group=$(<"$there$BED/group")
    printf '%d\n' "$BASHPID" >"$there$group/bed/cgroup.procs"
    exec nsenter --target "$init" --net --mount --pid --cgroup --wdns="$PWD" -- "$ROOT/.ci/host" "$@"
}
