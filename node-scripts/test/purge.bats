#!/usr/bin/env bats
load fixture

# A job that has ended, that many seconds ago; its id is in `id`.
ended() { # SECONDS
    script job.sh 'echo "{}" >results.jsonl; exit 3'
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id" || :
    sed -i "s/^ended_at .*/ended_at $((${EPOCHREALTIME/./} - $1 * 1000000))/" "$(home "$id")/status"
}

# The same for one of the server's: ID ATTEMPT SECONDS
ended_for_server() {
    payload "$1" "$2" "echo x >>$PWD/ran"
    send_payload 1 "$1" "$2" | gpuq serve >/dev/null
    gpuq wait "$1.$2"
    sed -i "s/^ended_at .*/ended_at $((${EPOCHREALTIME/./} - $3 * 1000000))/" "$(home "$1" "$2")/status"
}

@test "takes what is old, leaves what is young, runs or waits" {
    ended 7200
    old=$id
    ended 60
    young=$id
    script block.sh 'until [ -e "$GO" ]; do sleep 0.02; done'
    runs=$(gpuq submit --script block.sh --env "GO=$PWD/go")
    waits=$(gpuq submit --script block.sh --env "GO=$PWD/go")
    until_true state_is "$runs" running
    [ "$(gpuq purge --older-than 1h --dry-run)" = "$old.1" ]
    [ -e "$(home "$old")" ]
    [ "$(gpuq purge --older-than 1h)" = 'purged 1 job' ]
    [ ! -e "$(home "$old")" ]
    [ -e "$(home "$young")" ]
    [ "$(gpuq purge --older-than 0 --keep 0)" = 'purged 1 job' ]
    touch go
    gpuq wait "$runs" "$waits"
    is_empty incoming
}

@test "what is too many goes, the oldest first" {
    for seconds in 30 10 40 20; do
        ended "$seconds"
        ids[seconds]=$id
    done
    [ "$(gpuq purge --keep 2 --dry-run)" = "${ids[40]}.1"$'\n'"${ids[30]}.1" ]
    setting GPUQ_RETENTION_JOBS 3
    gpuq purge
    [ ! -e "$(home "${ids[40]}")" ]
    [ -e "$(home "${ids[30]}")" ]
    setting GPUQ_RETENTION 15s
    [ "$(gpuq purge)" = 'purged 2 jobs' ]
    [ -e "$(home "${ids[10]}")" ]
}

@test "a job of the server's stays until it is released" {
    ended_for_server "$ID" 1 7200
    [ "$(gpuq purge --older-than 1h)" = 'purged 0 jobs' ]
    gpuq release "$ID"
    [ "$(gpuq purge --older-than 1h)" = 'purged 1 job' ]
}

@test "a submit that comes late is told how the purged job ended, and does not run once more" {
    ended_for_server "$ID" 1 7200
    ended=$(grep ^ended_at "$(home "$ID")/status")
    gpuq release "$ID"
    gpuq purge --older-than 1h
    { send_payload 1 "$ID" 1; send 2 0 cancel "$ID" 1; send 3 0 withdraw "$ID" 1; send 4 0 fetch "$ID" 1 results 0 1; send 5 0 release "$ID" 1; } |
        gpuq serve >answers
    for tag in 1 2 3; do
        sed -n "/^$tag 0 /,/^[0-9] /p" answers | grep -v '^[0-9]' >record
        printf '%s\n' "job $ID" 'attempt 1' 'seq 3' 'state ended' "$ended" 'outcome exited' 'exit_code 0' | diff - record
    done
    grep -q '^4 66 ' answers
    grep -q '^5 0 ' answers
    [ "$(<ran)" = x ]
    is_idle
    is_empty jobs
    gpuq status "$ID" | grep -q exited
    run gpuq log "$ID"
    [ "$status" -eq 66 ]
    [[ $output == *'nothing is left'* ]]
}

@test "a copy of a submit that was unpacked before the purge does not run once more" {
    ended_for_server "$ID" 1 7200
    cp -r "$(home "$ID")" copy
    sed -i '/^ended\|^started\|^outcome\|^exit/d; s/^state.*/state waiting/; s/^seq.*/seq 1/' copy/status
    rm copy/begun copy/verdict
    gpuq release "$ID"
    gpuq purge --older-than 1h
    cp -r copy "$(home "$ID")"
    gpuq recover
    [ ! -e "$(home "$ID")" ]
    is_idle
    [ "$(<ran)" = x ]
}

@test "a purge that is killed between its steps is done again by the next" {
    for step in sync 'mv -t' rm; do
        ended_for_server "$ID" 1 7200
        gpuq release "$ID"
        wrap "${step%% *}" "[[ \$* != *purge* || -e $PWD/died ]] || { touch $PWD/died; kill -KILL \$PPID; exit 1; }"
        gpuq purge --older-than 1h || :
        [ -e died ]
        rm died
        rm "bin/${step%% *}"
        [ -e "$GPUQ_SPOOL/purged/$ID.1" ]
        gpuq purge --older-than 1h
        [ ! -e "$GPUQ_SPOOL/released/$ID.1" ]
        send_payload 1 "$ID" 1 | gpuq serve | grep -qx 'outcome exited'
        gpuq recover
        is_empty incoming
        rm "$GPUQ_SPOOL/purged/$ID.1" ran
    done
}

@test "the lines that stay go after 90 days, released tombstones too" {
    send 1 0 withdraw "$ID" 1 | gpuq serve >/dev/null
    gpuq release "$ID"
    ended_for_server "$ID" 2 7200
    gpuq release "$ID.2"
    gpuq purge --older-than 1h
    gpuq purge
    [ -e "$GPUQ_SPOOL/released/$ID.1" ]
    [ -e "$GPUQ_SPOOL/purged/$ID.2" ]
    long_ago=$((${EPOCHREALTIME/./} - 91 * 86400000000))
    echo "withdrawn $long_ago" >"$GPUQ_SPOOL/released/$ID.1"
    echo "exited $long_ago 3 0" >"$GPUQ_SPOOL/purged/$ID.2"
    gpuq purge
    is_empty released purged
}

@test "durations and numbers that are none are refused" {
    for line in '--older-than soon' '--keep many' '--keep -1' 'what'; do
        # shellcheck disable=SC2086  # words
        run --separate-stderr gpuq purge $line
        [ "$status" -eq 64 ]
        [ -z "$output" ]
    done
    setting GPUQ_RETENTION 1.5d
    run gpuq purge
    [ "$status" -eq 78 ]
    [[ $output == *GPUQ_RETENTION* ]]
}
