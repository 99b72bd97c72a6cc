# One host of a bed. Needs strict.bash and bed.bash, and to be in a bed.
#
# $BED/hN/ holds what there is of it:
#   layers   the lower layers of its disk: the image, and above it the snapshots it was made from
#   upper    what it wrote itself; all of a bed lies in memory
#   root     its disk, mounted
#   binds    folders that it gets to see besides, as systemd-nspawn takes them
#   power    locked as long as it is switched on
#   nspawn   the number of the process that runs it
#   console  what it said while it booted

# host::named NAME: sets HOST_HOME, HOST_ADDRESS and HOST_GROUP to those of the host NAME.
host::named() {
    [[ ${1:-} =~ ^h([1-9][0-9]?)$ ]] || die_usage "hosts are called h1 to h99, not '${1:-}'"
    HOST_HOME=$BED/$1 HOST_ADDRESS=$BED_NET.$((100 + BASH_REMATCH[1])) HOST_GROUP=$GROUPS_AT/$1
}

# host::existing NAME: the same, of one that was up before.
host::existing() {
    host::named "$1"
    [[ -d $HOST_HOME ]] || die "there is no $1: host up $1 makes it."
}

host::is_up() {
    ! flock -ns "$HOST_HOME/power" true
}

# host::running NAME: as host::existing, of one that is switched on.
host::running() {
    host::existing "$1"
    host::is_up || die "$1 is down: host up $1."
}

# host::off NAME: waits until it is off.
host::off() {
    flock -s -w 60 "$HOST_HOME/power" true || die "$1 does not end; its console says: $(tail -n 5 -- "$HOST_HOME/console")"
}

# host::make NAME SNAPSHOT: a disk and an identity, unless it has them. Without a snapshot: from the image alone.
host::make() {
    local -r name=$1 snapshot=$2
    local layers=$BED/image
    [[ ! -d $HOST_HOME ]] || return 0
    if [[ $snapshot ]]; then
        [[ -d $BED/snapshots/$snapshot ]] || die "there is no snapshot $snapshot: host snapshot HOST $snapshot takes one."
        layers=$BED/snapshots/$snapshot/upper:$(<"$BED/snapshots/$snapshot/layers")
    fi
    mkdir -m 755 -- "$HOST_HOME" "$HOST_HOME"/{upper,work,root}
    : >"$HOST_HOME/power"
    : >"$HOST_HOME/binds"
    printf '%s\n' "$layers" >"$HOST_HOME/layers"
    mount -t overlay -o "lowerdir=$layers,upperdir=$HOST_HOME/upper,workdir=$HOST_HOME/work" "$name" "$HOST_HOME/root"
    (umask 022 && cd -- "$HOST_HOME/root/etc" && host::identify "$name")
    host::pin
}

# host::identify NAME: what no two hosts share; in the host's /etc.
host::identify() {
    local id
    read -r id </proc/sys/kernel/random/uuid
    printf '%s\n' "${id//-/}" >machine-id
    printf '%s\n' "$1" >hostname
    { printf '127.0.0.1 localhost\n' && cat -- "$BED/names"; } >hosts
    install -m 644 -- "$BED/key.pub" ssh/bed.pub
    rm -f -- ssh/ssh_host_*
    ssh-keygen -q -t ed25519 -N '' -C "root@$1" -f ssh/ssh_host_ed25519_key
}

# host::pin: ssh takes from each host of the bed the key that it was made with, and no other.
host::pin() {
    local key name
    for key in "$BED"/h*/root/etc/ssh/ssh_host_ed25519_key.pub; do
        name=${key#"$BED/"} name=${name%%/*}
        (host::named "$name" && printf '%s,%s %s\n' "$name" "$HOST_ADDRESS" "$(<"$key")")
    done >"$BED/.known_hosts"
    mv -T -- "$BED/.known_hosts" "$BED/known_hosts"
}

# host::start NAME: switches it on, and does not wait. Whoever holds the lock on power is the host.
host::start() {
    local power
    exec {power}<"$HOST_HOME/power"
    flock -w 1 "$power" || die "$1 is up already."
    setsid "$ROOT/.ci/host" host::run "$1" </dev/null >>"$HOST_HOME/console" 2>&1 9<&"$power" &
    exec {power}<&-
}

# host::run NAME: its hardware, as long as it is on: a cable, a control group, and whatever makes a reboot boot again.
host::run() {
    local -r name=$1
    local fd status=133 # how systemd-nspawn says that the host wants to boot again
    host::named "$name"
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        ((fd <= 2 || fd == 9 || fd == 255)) || exec {fd}>&- # 9 is power, 255 this script
    done
    host::plug "$name"
    while ((status == 133)); do
        status=0
        host::boot "$name" 9<&- &
        printf '%d\n' "$!" >"$HOST_HOME/nspawn"
        wait "$!" || status=$?
        bed::remove_group "$HOST_GROUP"
    done
    host::unplug "$name"
}

host::boot() {
    local bind
    local -a binds=()
    while IFS= read -r bind; do
        binds+=("--bind-ro=$bind")
    done <"$HOST_HOME/binds"
    mkdir -- "$HOST_GROUP"
    printf '%d\n' "$BASHPID" >"$HOST_GROUP/cgroup.procs" # or all of them share one
    exec systemd-nspawn --quiet --boot --machine="$1" --directory="$HOST_HOME/root" \
        --register=no --keep-unit --settings=no --link-journal=no --resolv-conf=off --timezone=off --console=pipe \
        --network-namespace-path="/run/netns/$1" --bind="$BED/fuse:/dev/fuse" "${binds[@]}"
}

# host::plug NAME: a network stack with one card, and the cable to the bed. New at each start, so that nothing of a dead host
# answers, not even a kernel that closes its connections.
host::plug() {
    ip netns add "$1"
    # Its card's address stays the same, or its neighbours would look for the old one for half a minute.
    ip link add "$1" type veth peer name eth0 address "$(printf '02:67:70:75:71:%02x' "${HOST_ADDRESS##*.}")" netns "$1"
    ip -n "$1" link set lo up
    ip -n "$1" address add "$HOST_ADDRESS/24" dev eth0
    ip -n "$1" link set eth0 up
    ip link set "$1" master bed up
}

host::unplug() {
    ip link delete "$1" 2>/dev/null || true # it went first if the power was cut
    ip netns delete "$1"
    nft delete table netdev "$1" 2>/dev/null || true
}

# host::booted NAME: waits until everything that starts at boot has started.
host::booted() {
    local -r until=$((SECONDS + 60))
    local state
    until
        state=$(host::inside "$1" timeout 60 systemctl is-system-running --wait 2>/dev/null) || true
        [[ $state == @(running|degraded) ]]
    do
        if ! host::is_up || ((SECONDS >= until)); then
            die "$1 did not boot; its console says: $(tail -n 10 -- "$HOST_HOME/console")"
        fi
        sleep 0.02
    done
    [[ $state == running ]] || die "$1 booted, but: $(host::inside "$1" systemctl --failed --plain --no-legend)"
}

# host::leader: sets LEADER to its PID 1, as the bed counts; fails while there is none.
host::leader() {
    local nspawn
    LEADER=
    { read -r nspawn <"$HOST_HOME/nspawn" && read -r LEADER _ <"/proc/$nspawn/task/$nspawn/children"; } 2>/dev/null || : # a line without end
    # What systemd-nspawn starts first is not it yet.
    [[ $LEADER && ! /proc/$LEADER/ns/pid -ef /proc/self/ns/pid && -d $HOST_GROUP/payload ]]
}

# host::inside NAME COMMAND…: runs it as root in the host, without the network: also in one that is cut, or down.
host::inside() {
    local LEADER
    local -r name=$1
    local -ar clean=(env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 TERM="${TERM:-dumb}"
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin)
    shift
    if host::leader; then
        (
            mkdir -p -- "$HOST_GROUP/payload/console" # a process from elsewhere is a stranger to logind
            printf '%d\n' "$BASHPID" >"$HOST_GROUP/payload/console/cgroup.procs"
            exec nsenter --target "$LEADER" --all --wdns=/root -- "${clean[@]}" "$@"
        )
    elif host::is_up; then
        die "$name is booting."
    else
        chroot "$HOST_HOME/root" "${clean[@]}" "$@"
    fi
}

# host::cut_power NAME: nobody hears of it. Everything in it ends at once, what is frozen as well.
host::cut_power() {
    ip link delete "$1" 2>/dev/null || true
    printf 1 >"$HOST_GROUP/cgroup.kill"
    host::off "$1"
}

# host::drop NAME PERCENT: so much of what goes to the host, and so much of what comes from it, gets lost.
host::drop() {
    local those="numgen random mod 100 < $2"
    (($2 < 100)) || those=
    nft delete table netdev "$1" 2>/dev/null || true
    (($2 == 0)) || nft -f - <<END
table netdev $1 {
    chain from_host {
        type filter hook ingress device "$1" priority 0
        $those drop
    }
    chain to_host {
        type filter hook egress device "$1" priority 0
        $those drop
    }
}
END
}
