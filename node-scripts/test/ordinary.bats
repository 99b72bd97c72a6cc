#!/usr/bin/env bats
# shellcheck disable=SC2016 # what jobs do is in single quotes
# A spool whose user is no root, as on every real node: what its jobs leave cannot all be read and removed without more ado.
load fixture

setup_file() {
    ((EUID == 0)) || skip 'only root can be somebody else'
}

setup() { # a folder that is open all the way up, whatever the mask and the place of this checkout
    umask 022
    theirs=$(mktemp -d /tmp/gpuq-theirs.XXXXXX)
    cp -r -- "$BATS_TEST_DIRNAME/.." "$theirs/node-scripts"
    cp -r -- "$BATS_TEST_DIRNAME/../../templates" "$theirs/templates"
    chmod -R a+rwX "$theirs"
    cd "$theirs" || return
}

teardown() {
    ! everybody >pids || xargs -r kill -KILL <pids
    rm -rf -- "$theirs"
}

everybody() { # who works in there
    grep -lsF -- "GPUQ_SPOOL=$theirs/" /proc/[1-9]*/environ | cut -d / -f 3
}

nobody_left() { # of a job
    run ! pgrep -f "$1"
}

gpuq() {
    timeout 30 setpriv --reuid=nobody --regid=nogroup --clear-groups env GPUQ_CONF=/dev/null GPUQ_SLOTS=1 GPUQ_GRACE=1 GPUQ_DISK_FREE=0 \
        "GPUQ_SPOOL=$theirs/spool" "GPUQ_DATA_DIR=$theirs" "$theirs/node-scripts/bin/gpuq" "$@"
}

job() { # TEXT: in `id`
    printf '%s\n' "$1" >job.sh
    id=$(gpuq submit --script job.sh)
}

supervisor() { # of the job, its pid
    awk '$1 == "supervisor" {print $2}' "spool/jobs/$id.1/life"
}

idle() {
    ! ls -A spool/slots | grep -q .
}

ended() { # CODE…: the job is, as it exited, and the next one runs, whoever looks
    run gpuq wait "$id"
    [[ " $* " == *" $status "* ]] || {
        printf "%d: %s\n" "$status" "$output"
        false
    }
    local look
    for look in queue recover list 'info --json' serve; do
        # shellcheck disable=SC2086 # a verb and its option
        gpuq $look </dev/null >/dev/null
    done
    job 'echo works'
    gpuq wait "$id"
    [ "$(gpuq log "$id")" = works ]
}

@test "an ordinary user's jobs are contained, too" {
    local -r moment=4724.$BATS_TEST_NUMBER$BASHPID
    job "(setsid sleep ${moment}1 &); sleep ${moment}2"
    until_true pgrep -f "sleep ${moment}1"
    kill -KILL "$(supervisor)"
    until_true nobody_left "sleep $moment"
    ended 75
}

@test "a job that has locked its own home ends all the same" {
    job 'echo out; chmod 0 ../* . ../.new ..; exit 5'
    run gpuq wait "$id"
    [ "$status" -eq 5 ]
    [ "$(gpuq log "$id")" = out ]
    ended 5
}

@test "a job that has locked its own home ends all the same when its supervisor was killed" {
    job "chmod 0 ../* . ../.new ..; touch $theirs/begun; sleep 4725"
    until_true [ -e begun ]
    kill -KILL "$(supervisor)"
    local -r lost=$id
    ended 75
    gpuq status --json "$lost" | jq -e '.reason == "supervisor_lost"'
}

@test "what a job leaves unreadable or undeletable is no obstacle to its end" {
    local deed
    for deed in 'echo {} >results.jsonl; chmod 0 results.jsonl' 'echo x >setup-failed; chmod 0 setup-failed' 'rm ../status; mkdir -p ../status/x; chmod 0 ../status' \
        'mkdir -p ../.new/status/x; chmod 0 ../.new/status' 'touch ../verdict; chmod 0 ../verdict' 'mkdir ../slot0' 'echo withdrawn >../verdict' 'echo "exited x[\$(touch pwned)]" >../verdict' \
        'h=$(cd .. && pwd -P); mv "$h" "$h/../../elsewhere.$RANDOM"; : >"$h"' 'mkfifo ../verdict' 'ln -s nowhere ../verdict'; do
        printf '%s\n' "$deed"
        job "$deed; exit 5"
        until_true idle # who looks before that may see what the job says
        ended 5 143 255 # who writes a verdict is sent TERM
        [ ! -e pwned ]
    done
}

@test "an unreadable sentence of what could not start is none" {
    job 'echo x >setup-failed; chmod 0 setup-failed; exit 70'
    ended 75
}

@test "what a job writes into its own records while it runs makes nobody else fail or wait" {
    local deed
    for deed in 'echo " x" >>../life' 'echo " x" >>../status' 'echo " x" >>../job' 'mkdir x; mkfifo x/stat; echo "supervisor ..$PWD/x 1" >>../life' \
        'echo "exit_code BASH_VERSINFO[\$(touch $PWD/../../../../pwned)]" >>../status' \
        's=$(<../status); printf "\n%s\n" "$s" >../status' \
        'printf "\njob 550e8400-e29b-41d4-a716-446655440000\nattempt 1\nseq 9\nstate ended\noutcome exited\n" >>../status'; do
        printf '%s\n' "$deed"
        job "$deed; touch $theirs/begun; sleep 2; exit 5"
        until_true [ -e begun ]
        rm begun
        for look in info queue 'list --records' recover serve; do
            # shellcheck disable=SC2086 # a verb and its option
            gpuq $look </dev/null >out
            run ! grep 550e8400-e29b-41d4-a716-446655440000 out
        done
        ended 5
        [ ! -e pwned ]
    done
}

@test "a folder that a job has locked is purged with it, and a node whose user cannot remove something goes on" {
    local first
    job 'mkdir -p cache/go; touch cache/go/mod; chmod -R a-w cache; chmod 0 cache/go; exit 3'
    first=$id
    ended 3
    job 'sleep 1; exit 3'
    mkdir "spool/jobs/$id.1/work/of-root"
    touch "spool/jobs/$id.1/work/of-root/file"
    chmod 755 "spool/jobs/$id.1/work/of-root"
    ended 3
    gpuq release "$first"
    [ "$(find spool/incoming -name "*$first*")" = '' ]
    sleep 0.01
    gpuq purge --keep 0
    gpuq recover
    echo 0 >spool/machine # as after a boot
    gpuq info >/dev/null
    job 'echo works'
    ended 0
}
