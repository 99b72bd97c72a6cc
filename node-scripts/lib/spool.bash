# The spool: a directory that a person can read with ls and cat.
#
#   spool               its id
#   machine             what was found at this boot: boot id, GPUs, how jobs are contained
#   reserve/            takes up room; it makes way when the disk is full, so that the ends of jobs can be written
#   lock                held while jobs are given to slots; never while somebody waits
#   epoch  drain        the highest lease epoch seen; why no job starts here (absent: they do)
#   blank/              directories for jobs to come; one that has an owner is being filled and was never acknowledged
#   incoming/           payloads that have not been unpacked, what is about to be deleted
#   jobs/ID.ATTEMPT/    a job: its parts are listed in lib/job.bash. A plain file of that name is a tombstone
#   queue/KEY.ID.ATTEMPT  one ticket for each waiting job; sorted by name they are the order
#   slots/slotN         who holds slot N; absent: it is free
#   released/           jobs whose end and files the server has; nothing but purge scans them
#   purged/             a line for each job that was purged: its outcome, when it ended, its seq, its exit code
#   journal/GENERATION  changes of statuses, one line each
#
# Directories are published, statuses replaced, tickets and slots given back by rename. What decides between two (begin or
# cancel, end or cancel, a slot's holder) is one exclusive create, between a tombstone and a job one exclusive rename.
# shellcheck shell=bash

readonly SPOOL_DIRECTORIES=(blank incoming jobs queue slots released purged journal)
readonly SPOOL_RESERVE=1048576 SPOOL_RESERVE_INODES=32 # bytes; an end takes two inodes

spool::open() { # make it on first use, and tidy it on the first look after a boot
    SPOOL=$GPUQ_SPOOL
    local boot
    read -r boot </proc/sys/kernel/random/boot_id
    readonly SPOOL SPOOL_BOOT=$boot
    [[ -f $SPOOL/spool ]] || spool::make
    [[ -O $SPOOL ]] || words::fail 77 "$SPOOL belongs to another user; use gpuq as that user"
    spool::id || words::fail 75 "$SPOOL/spool cannot be read"
    readonly SPOOL_ID=$REPLY
    declare -gA MACHINE=()
    record::load "$SPOOL/machine" MACHINE || :
    [[ ${MACHINE[boot]:-} == "$SPOOL_BOOT" && ${MACHINE[units]:-} ]] || spool::boot
    ! spool::measure || spool::remember || :
}

spool::id() { # in REPLY; fails when no spool is there
    local -A spool=()
    record::load "$SPOOL/spool" spool && REPLY=${spool[id]:-} && [[ $REPLY ]]
}

# Whether it is still the spool that we opened. A disk that was unmounted knows no job, and takes none.
spool::same() {
    local REPLY
    spool::id && [[ $REPLY == "$SPOOL_ID" ]]
}

spool::make() {
    local uuid
    mkdir -p -- "${SPOOL_DIRECTORIES[@]/#/$SPOOL/}" 2>/dev/null ||
        words::fail 75 "the spool $SPOOL cannot be made; name another with GPUQ_SPOOL, or make it and give it to this user"
    spool::lock
    if [[ ! -f $SPOOL/spool ]]; then
        read -r uuid </proc/sys/kernel/random/uuid
        spool::write spool "format 1"$'\n'"id $uuid" && spool::sync "$SPOOL/.." || words::fail 75 "the spool $SPOOL cannot be written"
    fi
    spool::unlock
}

# The first look after a boot finds out what the machine has, and ends whatever a power cut left.
spool::boot() {
    spool::lock
    record::load "$SPOOL/machine" MACHINE || :
    if [[ ${MACHINE[boot]:-} != "$SPOOL_BOOT" || ! ${MACHINE[units]:-} ]]; then
        local -r before=${MACHINE[boot]:-}
        MACHINE=([boot]=$SPOOL_BOOT)
        mkdir -p -- "${SPOOL_DIRECTORIES[@]/#/$SPOOL/}" 2>/dev/null || :
        contain::probe
        spool::measure || :
        journal::begin
        [[ $before == "$SPOOL_BOOT" ]] || heal::boot
        heal::all
        spool::remember || words::fail 75 "the spool $SPOOL cannot be written"
    fi
    spool::unlock
}

# How many slots this node has, in SPOOL_SLOTS; fails when that is nothing new. While nvidia-smi is there and fails nobody
# knows: then there are none, and the next look asks again.
spool::measure() {
    SPOOL_SLOTS=${GPUQ_SLOTS:-${MACHINE[gpus]:-0}}
    ((SPOOL_SLOTS == 0)) || return 1
    local text line
    local -i count=0
    if type -P nvidia-smi >/dev/null; then
        text=$(timeout 20 nvidia-smi -L 2>/dev/null) || return
        while IFS= read -r line; do
            [[ $line != 'GPU '* ]] || count+=1
        done <<<"$text"
        ((count > 0)) || return
    fi
    SPOOL_SLOTS=$((count > 0 ? count : 1))
    MACHINE[gpus]=$SPOOL_SLOTS
}

spool::remember() {
    spool::write machine "$(record::print MACHINE boot gpus contain units)"
}

# Jobs and servers that are started meanwhile do not inherit the lock: whoever starts them closes $SPOOL_LOCK.
spool::lock() {
    [[ ! -p $SPOOL/lock ]] && { exec {SPOOL_LOCK}>>"$SPOOL/lock"; } 2>/dev/null || words::fail 75 "$SPOOL/lock cannot be written"
    flock "$SPOOL_LOCK"
}

spool::unlock() {
    exec {SPOOL_LOCK}>&-
    SPOOL_LOCK=
}
SPOOL_LOCK=

spool::make_room() { # for what must be written, on a full disk; fails when there is no reserve left
    [[ -e $SPOOL/reserve ]] && rm -rf -- "$SPOOL/reserve"
}

spool::keep_room() { # for that day
    [[ -e $SPOOL/reserve ]] || spool::reserve 2>/dev/null || rm -rf -- "$SPOOL/reserve"
}

spool::reserve() {
    local -i inode
    mkdir -- "$SPOOL/reserve" && fallocate -l "$SPOOL_RESERVE" -- "$SPOOL/reserve/bytes" || return
    for ((inode = 1; inode < SPOOL_RESERVE_INODES; inode++)); do
        : >"$SPOOL/reserve/$inode" || return
    done
}

spool::write() { # NAME TEXT: replace that file of the spool; afterwards, also behind a power cut, it is the new one
    spool::clear "$SPOOL/$1.new" && { printf '%s\n' "$2" >"$SPOOL/$1.new"; } 2>/dev/null && spool::sync "$SPOOL/$1.new" &&
        mv -fT -- "$SPOOL/$1.new" "$SPOOL/$1" 2>/dev/null && spool::sync "$SPOOL"
}

spool::clear() { # PATH: where we write a file nothing else lies; a pipe would make us wait, a link write elsewhere
    [[ (-f $1 || ! -e $1) && ! -L $1 ]] || spool::wipe "$1"
}

spool::wipe() { # PATH…: away with it, also with folders that a job has locked; fails when something stays, as what is not its user's
    rm -rf -- "$@" 2>/dev/null || { chmod -R u+rwX -- "$@"; rm -rf -- "$@"; } 2>/dev/null
}

spool::create() { # FILE TEXT: make it, exclusively; 1: somebody else was first, 2: it could not be written and is not there
    local -i rc=0
    set -o noclobber
    { : >"$1"; } 2>/dev/null || rc=2
    set +o noclobber
    if ((rc > 0)); then
        [[ ! -e $1 ]] || rc=1
    else
        # Behind what somebody said who took us for dead meanwhile.
        { printf '%s\n' "$2" >>"$1"; } 2>/dev/null || rc=2
        ((rc == 0)) || [[ -s $1 ]] || rm -f -- "$1"
    fi
    return "$rc"
}

spool::word() { # FILE: the line that spool::create put there, in REPLY; fails when there is none
    local -i tries=50
    REPLY=
    until { [[ -f $1 ]] && IFS= read -r -n 1000 REPLY <"$1"; } 2>/dev/null; do
        # Between the create and its write lies a moment; a writer killed in it never writes.
        [[ -f $1 ]] && ((tries-- > 0)) || return 1
        process::pause 0.002
    done
}

spool::agree() { # FILE TEXT: what the first says who says something there, in REPLY; fails when nothing can be written
    local -i rc=0
    spool::create "$1" "$2" || rc=$?
    if ((rc == 1)) && ! spool::word "$1"; then
        { printf '%s\n' "$2" >>"$1"; } 2>/dev/null || rc=2 # the first was killed before he said it
    fi
    ((rc < 2)) && spool::word "$1"
}

spool::discard() { # FOLDER, below one of the spool's own: all of it at once; fails when it is still there
    local -r away=$SPOOL/incoming/${1##*/}.$BASHPID
    mv -T -- "$1" "$away" 2>/dev/null || return
    spool::wipe "$away" || :
}

spool::sync() { # PATH…: on the disk, in one process
    sync -- "$@" 2>/dev/null
}

spool::position() { # DESCRIPTOR: how far its file was read or written, in REPLY; the kernel keeps count
    local key value
    while read -r key value; do
        [[ $key != pos: ]] || REPLY=$value
    done <"/proc/self/fdinfo/$1"
}

spool::size() { # FILE: in REPLY; one that is small and text is read faster than a process starts
    local file
    [[ -f $1 ]] && exec {file}<"$1" || return
    if IFS= read -r -d '' -n 16384 -u "$file" _; then
        REPLY=$(stat --printf=%s -- "$1") || REPLY=
    else
        spool::position "$file"
    fi
    exec {file}<&-
    [[ $REPLY ]]
}

spool::draining() {
    [[ -e $SPOOL/drain ]]
}

spool::greeting() { # CONVERSATION: the first line of serve and watch
    spool::epoch
    printf 'GPUQ 1 %s spool=%s boot=%s version=%s epoch=%s\n' \
        "$1" "$SPOOL_ID" "$SPOOL_BOOT" "$(<"$GPUQ_ROOT/VERSION")" "$REPLY"
}

spool::epoch() { # the highest seen, in REPLY
    { [[ -f $SPOOL/epoch ]] && IFS= read -r -n 20 REPLY <"$SPOOL/epoch" && [[ $REPLY =~ ^(0|[1-9][0-9]{0,17})$ ]]; } 2>/dev/null || REPLY=0
}

spool::raise_epoch() { # EPOCH
    local -i failed=0
    spool::lock
    spool::epoch
    if (($1 > REPLY)); then
        spool::write epoch "$1" || failed=1
    fi
    spool::unlock
    return "$failed"
}
