# What every test of the node scripts starts from: a spool of its own, a tiny grader, and a way to wait that tells.
# shellcheck shell=bash

# shellcheck disable=SC2034  # `run` needs it: stdout and stderr apart
bats_require_minimum_version 1.5.0

NODE_SCRIPTS=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
PATH=$NODE_SCRIPTS/bin:$PATH
SUBMITS=${GPUQ_TEST_SUBMITS:-200}
SIZE=${GPUQ_TEST_SIZE:-quick}
ID=550e8400-e29b-41d4-a716-446655440000

setup() {
    export LC_ALL=C
    unset "${!GPUQ_@}" # but for these nothing of the caller's gpuq
    export GPUQ_CONF=$BATS_TEST_TMPDIR/gpuq.conf GPUQ_SPOOL=$BATS_TEST_TMPDIR/spool
    printf '%s\n' GPUQ_SLOTS=1 GPUQ_TEMPLATE=process GPUQ_GRACE=1 "GPUQ_DATA_DIR=$BATS_TEST_TMPDIR/data" \
        "GPUQ_GRADER=$BATS_TEST_TMPDIR/grader" GPUQ_PYTHON=bash >"$GPUQ_CONF"
    mkdir -p "$BATS_TEST_TMPDIR/data/pizza/prepared/public"
    # A grader as small as can be: it runs the solution and says how that ended.
    printf '%s\n' 'code=0' 'bash "$1" || code=$?' 'printf "{\"competition\": \"%s\", \"exit_code\": %d}\n" "$2" "$code" >"$3"' \
        >"$BATS_TEST_TMPDIR/grader"
    mkdir -p "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work" || return
}

teardown() { # nothing of a test outlives it
    local life key pid
    for life in "$GPUQ_SPOOL"/jobs/*/life "$GPUQ_SPOOL"/released/*/life; do
        [[ -f $life ]] || continue
        while read -r key pid _; do
            [[ $key == boot ]] || kill -KILL "$pid" 2>/dev/null || :
        done <"$life"
    done
    ! mountpoint -q "$GPUQ_SPOOL" || umount -l "$GPUQ_SPOOL"
    [[ ! -e frozen ]] || thaw
}

small_disk() { # KIB [INODES]: the spool lies on a disk of that size
    ((EUID == 0)) || skip 'mounting needs root'
    mkdir -p "$GPUQ_SPOOL"
    mount -t tmpfs -o "size=$1k,mode=700,nr_inodes=${2:-0}" gpuq "$GPUQ_SPOOL" || skip 'nothing can be mounted here'
}

# A disk that hangs, as a broken one does: who writes to `disk` cannot even be killed until `thaw`.
freeze() {
    ((EUID == 0)) || skip 'mounting needs root'
    truncate -s 8M image
    mkfs.ext4 -q image
    mkdir -p disk
    mount -o loop image disk || skip 'nothing can be mounted here'
    fsfreeze --freeze disk
    : >frozen
}

thaw() {
    rm frozen
    fsfreeze --unfreeze disk
    umount -l disk
}

fill() { # the disk, to its last byte
    ! cat /dev/zero >"$GPUQ_SPOOL/ballast" 2>/dev/null
}

unit() { # CODE ARGUMENT…: with the libraries, in a process of its own
    bash -c 'source "$0" version >/dev/null; gpuq::open; eval "$1"' "$NODE_SCRIPTS/bin/gpuq" "$@"
}

wrap() { # COMMAND CODE: what runs before the real one, for all that find it in $PATH from now on
    mkdir -p bin
    printf '%s\n' '#!/bin/bash' "$2" "exec $(type -P "$1") \"\$@\"" >"bin/$1"
    chmod +x "bin/$1"
    [[ $PATH == "$PWD/bin:"* ]] || PATH=$PWD/bin:$PATH
}

setting() { # NAME VALUE: in the configuration file
    grep -v "^$1=" "$GPUQ_CONF" >"$GPUQ_CONF.new" || :
    printf '%s=%s\n' "$1" "$2" >>"$GPUQ_CONF.new"
    mv "$GPUQ_CONF.new" "$GPUQ_CONF"
}

sized() { # QUICK FULL: the one for the size that the tests were started with
    case $SIZE in
        quick) printf '%s' "$1" ;;
        full) printf '%s' "$2" ;;
        *) printf 'GPUQ_TEST_SIZE is %s, not quick or full\n' "$SIZE" >&2 && return 1 ;;
    esac
}

script() { # NAME TEXT: a file to submit
    printf '%s\n' "$2" >"$1"
}

until_true() { # COMMAND…: wait for a condition; when it fails to come, show the spool
    local -i tries=6000
    until "$@" >/dev/null 2>&1; do
        if ((tries-- == 0)); then
            printf 'in vain: %s\n' "$*"
            show
            return 1
        fi
        read -r -t 0.01 _ <> <(:) || :
    done
}

show() {
    local file
    while IFS= read -r file; do
        printf -- '--- %s\n' "${file#"$GPUQ_SPOOL"/}"
        head -c 600 "$file"
    done < <(find "$GPUQ_SPOOL" -type f | sort)
    pgrep -af -- "$BATS_TEST_TMPDIR"
}

home() { # ID [ATTEMPT]
    printf '%s/jobs/%s.%s' "$GPUQ_SPOOL" "$1" "${2:-1}"
}

state_is() { # ID STATE
    grep -qx "state $2" "$(home "$1")/status"
}

says() { # LINE: one of the lines of $output
    grep -Fqx -- "$1" <<<"$output" || {
        printf 'not there: %s\n--- output:\n%s\n' "$1" "$output"
        return 1
    }
}

supervisor_of() { # ID
    awk '$1 == "supervisor" {print $2}' "$(home "$1")/life"
}

slots_taken() {
    find "$GPUQ_SPOOL/slots" -type f | wc -l
}

is_idle() {
    is_empty slots queue
}

is_empty() { # FOLDER…, of the spool; as for incoming, nobody fills a blank either
    local folder
    for folder; do
        [ "$folder" != incoming ] || [ -z "$(cat "$GPUQ_SPOOL"/blank/*/owner 2>/dev/null)" ] || return 1
        [ -z "$(ls -A "$GPUQ_SPOOL/$folder")" ] || return 1
    done
}

runs() { # MARK: a process of this test has it in its command line; others may run the same tests at the same time
    local pid
    for pid in $(pgrep -f -- "$1"); do
        ! grep -qsF -- "$BATS_TEST_TMPDIR/" "/proc/$pid/environ" || return 0
    done
    return 1
}

nothing_runs() { # MARK
    ! runs "$1"
}

# A payload as the server sends it: ID ATTEMPT LAUNCH [KEY VALUE]… -> file payload
payload() {
    local -r id=$1 attempt=$2 launch=$3
    shift 3
    local -A fact=([job]=$id [attempt]=$attempt [origin]=server [user]=sarang [template]=script [gpus]=1 [priority]=0
        [expected_time]=5 [time_limit]=60 [submitted_at]=1763400000123456)
    local key
    while (($# > 0)); do
        fact[$1]=$2
        shift 2
    done
    for key in "${!fact[@]}"; do
        printf '%s %s\n' "$key" "${fact[$key]}"
    done >job
    printf '%s' "$launch" >launch
    {
        printf 'file job %d\nfile launch.sh %d\n\n' "$(stat -c %s job)" "$(stat -c %s launch)"
        cat job launch
    } >payload
}

send() { # TAG EPOCH VERB WORD…: a command without payload
    printf '%s 0\n' "$*"
}

send_payload() { # TAG ID ATTEMPT: submit what `payload` made
    printf '%s 0 submit %s %s %d\n' "$1" "$2" "$3" "$(stat -c %s payload)"
    cat payload
}
