#!/usr/bin/env bats
load fixture

@test "kill -9 of the supervisor leaves nothing of the job, frees the slot, tells the end and starts the next" {
    script job.sh '(setsid bash -c "sleep 4718.1 & sleep 4718.2" &); sleep 4718.3'
    script next.sh ':'
    id=$(gpuq submit --script job.sh)
    next=$(gpuq submit --script next.sh)
    until_true runs 'sleep 4718.2'
    kill -KILL "$(supervisor_of "$id")"
    until_true nothing_runs 'sleep 4718'
    run gpuq wait "$id"
    [ "$status" -eq 75 ]
    grep -qx 'reason supervisor_lost' "$(home "$id")/status"
    gpuq wait "$next"
}

@test "a cancel whose supervisor is killed is still a cancel" {
    script job.sh 'trap "" TERM; while :; do sleep 4719; done'
    setting GPUQ_GRACE 600
    id=$(gpuq submit --script job.sh)
    until_true runs 'sleep 4719'
    gpuq cancel --no-wait "$id"
    kill -KILL "$(supervisor_of "$id")"
    run gpuq wait "$id"
    [ "$status" -eq 130 ]
}

@test "user code inherits neither locks nor pipes" {
    script job.sh 'ls /proc/self/fd; ls -l /proc/$$/fd >&2'
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id"
    run gpuq log --stderr "$id"
    [[ $output != *"$GPUQ_SPOOL/lock"* && $output != */life* && $output != *pipe:* && $output != *socket:* ]]
    [ "$(grep -cE ' [0-9]+ -> ' <<<"$output")" -le 4 ] # stdin, stdout, stderr, and the script that bash reads
}

@test "the environment of a job does not depend on who started it" {
    script job.sh 'env | sort'
    export SECRET=x
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id"
    run gpuq log "$id"
    [[ $output != *SECRET* && $output != *GPUQ_SPOOL* && $output == *CUDA_VISIBLE_DEVICES=0* && $output == *GPUQ_SLOTS_HELD=0* ]]
}

@test "after a reboot nothing pretends to run, what waited starts, and the journal has a new generation" {
    script job.sh 'sleep 4720'
    script next.sh ':'
    id=$(gpuq submit --script job.sh)
    next=$(gpuq submit --script next.sh)
    until_true state_is "$id" running
    # As a power cut leaves it: the spool, and no process.
    gpuq drain
    kill -KILL "$(supervisor_of "$id")"
    sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' "$GPUQ_SPOOL/machine" "$(home "$id")/life"
    generation=$(ls "$GPUQ_SPOOL/journal")
    gpuq info >/dev/null
    grep -qx 'reason rebooted' "$(home "$id")/status"
    [ "$(ls "$GPUQ_SPOOL/journal" | tail -1)" -gt "$generation" ]
    gpuq resume
    gpuq wait "$next"
}

@test "a torn status after a power cut is an end, not a mystery" {
    script job.sh 'sleep 4721'
    id=$(gpuq submit --script job.sh)
    until_true state_is "$id" running
    kill -KILL "$(supervisor_of "$id")"
    sed -i 's/^boot .*/boot 0/' "$GPUQ_SPOOL/machine" "$(home "$id")/life"
    : >"$(home "$id")/status"
    run gpuq wait "$id"
    [ "$status" -eq 75 ]
    until_true is_idle
}

# As a power cut leaves it that took the last renames, and the processes anyhow: the end lies ready beside the status before it.
unsealed() { # CODE
    script job.sh "printf '{}\\n' >results.jsonl; echo out; exit $1"
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id" || [ "$?" -eq "$1" ]
    home=$(home "$id")
    cp "$home/status" ended
    mv "$home/status" "$home/.new/status"
    sed -n '/^outcome\|^ended_at\|^exit_code\|_size\|_sha256/!p' ended | sed 's/^seq 3$/seq 2/; s/^state ended$/state running/' >"$home/status"
    mv "$home/slot0" "$GPUQ_SPOOL/slots/slot0"
    sed -i 's/^boot .*/boot 0/' "$GPUQ_SPOOL/machine" "$home/life"
}

@test "an end that was read before the power cut took it back is the end" {
    unsealed 3
    run gpuq wait "$id"
    [ "$status" -eq 3 ]
    cmp "$home/status" ended
    is_idle
}

@test "an end is none when a byte of what it seals did not get to the disk" {
    local file
    for file in stdout work/results.jsonl; do
        unsealed 3
        truncate -s -1 "$home/$file"
        run gpuq wait "$id"
        [ "$status" -eq 75 ]
        grep -qx 'reason rebooted' "$home/status"
    done
    unsealed 3
    printf '[]\n' >"$home/work/results.jsonl" # as many bytes
    run gpuq wait "$id"
    [ "$status" -eq 75 ]
}

@test "an end that was decided and not sealed when the power went is the node's, a cancel stays a cancel" {
    unsealed 3
    rm "$home/.new/status"
    run gpuq wait "$id"
    [ "$status" -eq 75 ]
    unsealed 3
    rm "$home/.new/status"
    echo cancelled >"$home/verdict"
    run gpuq wait "$id"
    [ "$status" -eq 130 ]
}

@test "a status that the power cut took before anything ran is one that waits; uploads of before are gone" {
    script job.sh ':'
    gpuq drain
    id=$(gpuq submit --script job.sh)
    : >"$(home "$id")/status"
    mkdir -p "$GPUQ_SPOOL/incoming/$ID.1.$$/work" "$GPUQ_SPOOL/blank/1.99/work"
    echo $$ >"$GPUQ_SPOOL/blank/1.99/owner" # the number is somebody's again
    sed -i 's/^boot .*/boot 0/' "$GPUQ_SPOOL/machine"
    gpuq resume
    gpuq wait "$id"
    is_empty incoming blank
}

@test "a claim whose supervisor never came goes back to waiting and runs" {
    script job.sh ':'
    gpuq drain
    id=$(gpuq submit --script job.sh)
    printf '%s.1 12345 1\n' "$id" >"$GPUQ_SPOOL/slots/slot0"
    gpuq status "$id" | grep -q waiting
    gpuq resume
    gpuq wait "$id"
}

@test "a claim from the future, made before the clock went back, is as dead as an old one" {
    script job.sh ':'
    gpuq drain
    id=$(gpuq submit --script job.sh)
    printf '%s.1 12345 9000000000000000\n' "$id" >"$GPUQ_SPOOL/slots/slot0"
    gpuq resume
    gpuq wait "$id"
}

@test "a supervisor that comes too late finds its nonce gone and does nothing" {
    script job.sh "touch $PWD/ran"
    gpuq drain
    id=$(gpuq submit --script job.sh)
    gpuq supervise "$id" 1 12345
    state_is "$id" waiting
    [ ! -e "$(home "$id")/begun" ]
    [ ! -e ran ]
}

@test "a supervisor that finds the job cancelled in the last moment does nothing" {
    script job.sh "touch $PWD/ran"
    gpuq drain
    id=$(gpuq submit --script job.sh)
    printf '%s.1 12345 %(%s)T000000\n' "$id" -1 >"$GPUQ_SPOOL/slots/slot0"
    gpuq cancel --no-wait "$id"
    printf '%s.1 12345 %(%s)T000000\n' "$id" -1 >"$GPUQ_SPOOL/slots/slot0" # as one sees it who looked before that
    before=$(<"$(home "$id")/status")
    gpuq supervise "$id" 1 12345
    [ "$(<"$(home "$id")/status")" = "$before" ]
    [ ! -e ran ]
    gpuq recover
    is_idle
}

@test "a mv that is killed is done again" {
    script job.sh ':'
    mkdir bin
    for victim in status slot0; do
        rm -f died
        printf '%s\n' '#!/bin/bash' "if [[ \$* == *$victim* && ! -e $PWD/died ]]; then touch $PWD/died; kill -KILL \$\$; fi" \
            'exec /usr/bin/mv "$@"' >bin/mv
        chmod +x bin/mv
        id=$(PATH=$PWD/bin:$PATH gpuq submit --script job.sh)
        gpuq wait "$id"
        [ -e died ]
        until_true is_idle
    done
}

@test "attempts of one job never run side by side" {
    setting GPUQ_SLOTS 2
    payload "$ID" 1 'sleep 4722'
    send_payload 1 "$ID" 1 | gpuq serve
    until_true state_is "$ID" running
    payload "$ID" 2 'echo second'
    send_payload 1 "$ID" 2 | gpuq serve
    gpuq dispatch
    grep -qx 'state waiting' "$(home "$ID" 2)/status"
    send 1 0 cancel "$ID" 1 | gpuq serve
    until_true grep -qx 'outcome exited' "$(home "$ID" 2)/status"
}

@test "rubbish in the spool harms nothing" {
    gpuq info >/dev/null
    touch "$GPUQ_SPOOL/queue/rubbish" "$GPUQ_SPOOL/slots/slot0" "$GPUQ_SPOOL/slots/slotx"
    mkdir "$GPUQ_SPOOL/jobs/rubbish" "$GPUQ_SPOOL/incoming/old.1.999999999"
    script job.sh ':'
    gpuq recover
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id"
    gpuq queue
    gpuq list --json | jq -e . >/dev/null
    send 1 0 list | gpuq serve | grep -q '^1 0 '
    [ ! -e "$GPUQ_SPOOL/incoming/old.1.999999999" ]
}
