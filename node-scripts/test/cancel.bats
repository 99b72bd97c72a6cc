#!/usr/bin/env bats
load fixture

@test "cancel comes back when nothing of the job is left, a setsid-ed orphan that ignores TERM among it" {
    script job.sh 'trap "" TERM; (setsid bash -c "trap \"\" TERM; sleep 4714.1 & sleep 4714.2" &); sleep 4714.3; sleep 4714.4'
    id=$(gpuq submit --script job.sh)
    until_true runs 'sleep 4714.2'
    gpuq cancel "$id"
    nothing_runs 'sleep 4714'
    [ "$(slots_taken)" -eq 0 ]
    run gpuq wait "$id"
    [ "$status" -eq 130 ]
    run ! grep -q exit_code "$(home "$id")/status"
}

@test "a script gets TERM and the time to end by itself" {
    script job.sh 'trap "echo bye; exit 0" TERM; echo ready; sleep 4715 & wait'
    id=$(gpuq submit --script job.sh)
    until_true grep -q ready "$(home "$id")/stdout"
    gpuq cancel "$id"
    [ "$(gpuq log "$id" | tail -1)" = bye ]
}

@test "a waiting job is cancelled without ever starting" {
    script block.sh 'sleep 4716'
    script job.sh "touch $PWD/ran"
    block=$(gpuq submit --script block.sh)
    id=$(gpuq submit --script job.sh)
    gpuq cancel "$id"
    grep -qx 'outcome cancelled' "$(home "$id")/status"
    gpuq cancel "$block"
    [ ! -e ran ]
    is_idle
}

@test "cancel against end: one of both wins, and the record agrees with what was answered" {
    setting GPUQ_SLOTS 4
    script job.sh 'exit 0'
    for ((i = 0; i < 12; i++)); do
        id=$(gpuq submit --script job.sh)
        rc=0
        gpuq cancel "$id" 2>/dev/null || rc=$?
        grep -qx "outcome $( ((rc == 0)) && echo cancelled || echo exited)" "$(home "$id")/status"
    done
    until_true is_idle
}

@test "cancel --no-wait only asks; cancel of what has ended says so" {
    script job.sh 'sleep 4717'
    id=$(gpuq submit --script job.sh)
    gpuq cancel --no-wait "$id"
    until_true state_is "$id" ended
    script job.sh ':'
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id"
    run gpuq cancel "$id"
    [ "$status" -eq 1 ]
    [[ $output == *exited* ]]
}

@test "prefixes of ids are enough, ambiguous and short ones are refused" {
    script job.sh ':'
    id=$(gpuq submit --script job.sh)
    gpuq wait "${id:0:8}"
    run gpuq cancel "${id:0:3}"
    [ "$status" -eq 64 ]
    mkdir "$GPUQ_SPOOL/jobs/${id:0:35}x.1"
    run gpuq status "${id:0:8}"
    [ "$status" -eq 64 ]
    [[ $output == *'more than one'* ]]
    run gpuq status ffff
    [ "$status" -eq 66 ]
}

@test "a canceller who comes late does not keep the next job from its slot" {
    script job.sh 'until [ -e "$GO" ]; do sleep 0.02; done'
    script next.sh "touch $PWD/ran"
    id=$(gpuq submit --script job.sh --env "GO=$PWD/go")
    until_true state_is "$id" running
    gpuq submit --script next.sh
    supervisor=$(supervisor_of "$id")
    exec 7>>"$GPUQ_SPOOL/lock"
    flock 7
    touch go
    until_true grep -q -- "-> FLOCK .*:$(stat -c %i "$GPUQ_SPOOL/lock") " /proc/locks
    kill -USR1 "$supervisor"
    exec 7>&-
    until_true test -e ran
}

@test "a tombstone that is released while it is withdrawn once more is no full disk" {
    send 1 0 withdraw "$ID" 1 | gpuq serve
    wrap sync "[[ \$* != *jobs/$ID.1* ]] || gpuq release $ID.1"
    send 1 0 withdraw "$ID" 1 | gpuq serve | grep -q '^1 0 '
}
