#!/usr/bin/env bats
load fixture

# A job that runs until `go` exists. Its id is in `id`.
held_job() {
    script job.sh "until [ -e $PWD/go ]; do sleep 0.0247; done; $1"
    id=$(gpuq submit --script job.sh)
    until_true state_is "$id" running
}

@test "an exclusive create tells somebody else's from a full disk, and leaves no empty file" {
    small_disk 256
    gpuq info >/dev/null
    unit 'spool::create "$SPOOL/jobs/first" word'
    fill
    run unit 'spool::create "$SPOOL/jobs/first" word'
    [ "$status" -eq 1 ]
    run unit 'spool::create "$SPOOL/jobs/second" word'
    [ "$status" -eq 2 ]
    [ ! -e "$GPUQ_SPOOL/jobs/second" ]
}

@test "a full disk delays the end of a job and does not change it" {
    small_disk 256
    held_job 'exit 0 # 4730'
    fill
    touch go
    until_true nothing_runs 'job.sh'
    grep -q '^seq' "$(home "$id")/status"
    run ! grep -q 'outcome cancelled' "$(home "$id")/status"
    rm "$GPUQ_SPOOL/ballast"
    gpuq wait "$id"
}

@test "the reserve makes way for the end of a job, and comes back" {
    small_disk 2048
    held_job 'exit 3'
    [ "$(stat -c %s "$GPUQ_SPOOL/reserve/bytes")" -eq 1048576 ]
    fill
    touch go
    run gpuq wait "$id"
    [ "$status" -eq 3 ]
    [ ! -e "$GPUQ_SPOOL/reserve" ]
    gpuq recover
    [ ! -e "$GPUQ_SPOOL/reserve" ]
    rm "$GPUQ_SPOOL/ballast"
    gpuq recover
    [ -e "$GPUQ_SPOOL/reserve" ]
}

@test "a cancel on a full disk is 75, or a cancel" {
    small_disk 256
    held_job ':'
    fill
    { send 1 0 cancel "$id" 1; send 2 0 cancel "$ID" 1; send 3 0 withdraw "$ID" 1; } | gpuq serve >answers
    [ "$(grep -cE '^[123] 75 ' answers)" -eq 3 ]
    [ ! -e "$(home "$ID")" ]
    [ ! -e "$(home "$id")/verdict" ]
    rm "$GPUQ_SPOOL/ballast"
    gpuq cancel "$id"
}

@test "a submit on a full disk is 75, its payload is drained, and the conversation goes on" {
    small_disk 256
    gpuq info >/dev/null
    fill
    payload "$ID" 1 "$(printf '%065000d' 0)"
    { send_payload 1 "$ID" 1; send 2 0 info; } | gpuq serve >answers
    grep -q '^1 75 ' answers
    grep -q '^2 0 ' answers
    script job.sh ':'
    run gpuq submit --script job.sh
    [ "$status" -eq 75 ]
    rm "$GPUQ_SPOOL/ballast"
    is_empty incoming jobs queue
}

@test "a status that cannot be written leaves the one that is there" {
    small_disk 256
    held_job ':'
    before=$(<"$(home "$id")/status")
    fill
    run unit 'home=$SPOOL/jobs/$2.1; job::status "$home"; sealed=(); job::replace "$home"' "$id"
    [ "$status" -ne 0 ]
    [ "$(<"$(home "$id")/status")" = "$before" ]
    rm "$GPUQ_SPOOL/ballast"
    gpuq cancel "$id"
}

@test "a torn status is 75 until it is healed, and a torn one is not what the supervisor goes on from" {
    held_job ':'
    : >"$(home "$id")/status"
    send 1 0 status "$id" 1 | gpuq serve | grep -q '^1 75 '
    touch go
    gpuq wait "$id"
    grep -q '^started_at' "$(home "$id")/status"
    grep -qx 'seq 3' "$(home "$id")/status"
}

@test "an empty verdict is no cancel, and an empty tombstone was withdrawn" {
    held_job 'exit 5'
    : >"$(home "$id")/verdict"
    touch go
    run gpuq wait "$id"
    [ "$status" -eq 5 ]
    : >"$(home "$ID")"
    send 1 0 status "$ID" 1 | gpuq serve | grep -qx 'outcome withdrawn'
}

@test "who was killed before he said his word decides nothing: a cancel that comes again is one" {
    script job.sh "touch $PWD/ran"
    gpuq drain
    for file in begun verdict; do
        id=$(gpuq submit --script job.sh)
        : >"$(home "$id")/$file"
        gpuq cancel "$id"
        grep -qx 'outcome cancelled' "$(home "$id")/status"
    done
    gpuq resume
    held_job ':'
    : >"$(home "$id")/verdict"
    gpuq cancel "$id"
    [ ! -e ran ]
}

@test "who was taken for dead and speaks after all agrees with what was said meanwhile" {
    gpuq info >/dev/null
    mkfifo at go
    # The first stands between its create and its write until the second has spoken.
    unit 'printf() { echo >at; read -r _ <go; unset -f printf; builtin printf "$@"; }
        spool::agree "$SPOOL/word" first && echo "$REPLY" >first' &
    read -r _ <./at
    unit 'spool::agree "$SPOOL/word" second && echo "$REPLY" >second'
    echo >go
    wait
    [ "$(<first)" = second ]
    [ "$(<second)" = second ]
}

@test "a job whose supervisor was killed before it ran is cancelled on a drained node" {
    script job.sh "touch $PWD/ran"
    gpuq drain
    id=$(gpuq submit --script job.sh)
    echo 'supervisor 1' >"$(home "$id")/begun"
    printf '%s.1 1 1\n' "$id" >"$GPUQ_SPOOL/slots/slot0"
    gpuq cancel "$id"
    is_idle
    [ ! -e ran ]
}

@test "an end is told once, also when it has to be written again" {
    wrap sync "[[ \$* != *.new/status || -e $PWD/failed ]] || { touch $PWD/failed; exit 1; }"
    script job.sh ':'
    id=$(gpuq submit --script job.sh)
    until_true is_idle
    [ -e failed ]
    gpuq wait "$id"
    grep -qx 'seq 3' "$(home "$id")/status"
    [ "$(grep -c "$id 1 3 ended" "$GPUQ_SPOOL"/journal/*)" -eq 1 ]
}

@test "a launch script that somebody ends by KILL has ended by KILL, and its stderr is its own" {
    held_job ':'
    until_true grep -q '^contained' "$(home "$id")/life"
    kill -KILL "$(awk '$1 == "contained" {print $2}' "$(home "$id")/life")"
    run gpuq wait "$id"
    [ "$status" -eq 137 ]
    [ -z "$(gpuq log --stderr "$id")" ]
}

@test "a starter that ends at once is told as what it is" {
    script job.sh ':'
    gpuq drain
    id=$(gpuq submit --script job.sh)
    rm -r "$(home "$id")/work"
    gpuq resume
    run gpuq wait "$id"
    [ "$status" -eq 75 ]
    grep -qx 'reason launch_failed' "$(home "$id")/status"
}

@test "results are on the disk before a status promises them, and a sync that fails is done again" {
    wrap sync '[[ $* != *results.jsonl* ]] || { [[ ! -e broken ]] || { touch tried; exit 1; }; grep -h ^state "${@: -1}" ../status >>seen; }'
    sed -i "s|broken|$PWD/broken|; s|tried|$PWD/tried|; s|seen|$PWD/seen|; s|\.\./status|$GPUQ_SPOOL/jobs/*/status|" bin/sync
    touch broken
    script job.sh 'echo "{}" >results.jsonl'
    id=$(gpuq submit --script job.sh)
    until_true test -e tried
    state_is "$id" running
    rm broken
    gpuq wait "$id"
    [ "$(<seen)" = $'state ended\nstate running' ] # what comes, what is there
}

@test "running is on the disk before the user's code runs" {
    wrap sync "grep -qx 'state running' \"\$2\" 2>/dev/null && { [[ ! -e $PWD/ran ]] && touch $PWD/synced; }"
    script job.sh "[ -e $PWD/synced ] && touch $PWD/ran"
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id"
    [ -e ran ]
}

@test "a sealed file that lost bytes is refused, and the conversation stays in step" {
    script job.sh 'echo out'
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id"
    printf 'o' >"$(home "$id")/stdout"
    { send 1 0 fetch "$id" 1 stdout 0 100; send 2 0 status "$id" 1; } | gpuq serve >answers
    sed -n 2p answers | grep -q '^1 66 '
    sed -n 4p answers | grep -q '^2 0 '
}

@test "a conversation whose spool went away, or became another, knows nothing and takes nothing" {
    payload "$ID" 1 ':'
    gpuq info >/dev/null
    mkfifo in bell
    gpuq serve <in >answers &
    exec 7>in
    gpuq watch --beat 1 <bell >events 2>/dev/null &
    watch=$!
    exec 8>bell
    until_true grep -q GPUQ answers
    until_true grep -q journal events
    mv "$GPUQ_SPOOL" away
    { send 1 0 status "$ID" 1; send_payload 2 "$ID" 1; } >&7
    until_true grep -q '^2 75 ' answers
    wait "$watch" || :
    gpuq info >/dev/null # another spool in its place
    { send 3 0 status "$ID" 1; send_payload 4 "$ID" 1; } >&7
    until_true grep -q '^4 75 ' answers
    rm -r "$GPUQ_SPOOL"
    mv away "$GPUQ_SPOOL"
    send 5 0 status "$ID" 1 >&7
    until_true grep -q '^5 66 ' answers
    [ "$(grep -cE '^[1-4] 75 ' answers)" -eq 4 ]
    exec 7>&- 8>&-
    wait
}

@test "a publish that fails for another reason than somebody's before us is 75" {
    gpuq info >/dev/null
    payload "$ID" 1 ':'
    wrap mv "[[ \$* != */blank/* ]] || exit 1"
    send_payload 1 "$ID" 1 | gpuq serve | grep -q '^1 75 '
    is_empty jobs queue
    rm bin/mv
    rmdir "$GPUQ_SPOOL/queue"
    touch "$GPUQ_SPOOL/queue" # no ticket can be made
    send_payload 1 "$ID" 1 | gpuq serve | grep -q '^1 75 '
    rm "$GPUQ_SPOOL/queue"
    mkdir "$GPUQ_SPOOL/queue"
    send_payload 1 "$ID" 1 | gpuq serve | grep -q '^1 0 '
    gpuq wait "$ID"
}

@test "a withdraw after a 69 excludes the publish of an earlier submit, and the other way round" {
    gpuq info >/dev/null
    payload "$ID" 1 "touch $PWD/ran"
    mkfifo at go
    wrap mv "[[ \$* != */blank/*\ */jobs/* || ! -e $PWD/slow ]] || { echo >$PWD/at; read -r _ <$PWD/go; }"
    touch slow
    send_payload 1 "$ID" 1 | gpuq serve >early &
    read -r _ <./at # it is about to publish
    gpuq drain
    { send_payload 1 "$ID" 1; send 2 0 withdraw "$ID" 1; } | gpuq serve >late
    grep -q '^1 69 ' late
    grep -qx 'outcome withdrawn' late
    gpuq resume
    echo >go
    wait
    grep -q '^1 0 ' early
    grep -qx 'outcome withdrawn' early
    gpuq recover
    [ ! -e ran ]
    [ -f "$(home "$ID")" ]
    is_idle
    # And where the job stands no tombstone can be made.
    mkdir "$(home "$ID" 2)"
    run unit 'name=$2.2 outcome=withdrawn home=$SPOOL/jobs/$2.2; job::bury' "$ID"
    [ "$status" -eq 1 ]
    [ -d "$(home "$ID" 2)" ]
}

@test "after the clock went back a new generation of the journal is still the last" {
    gpuq info >/dev/null
    mv "$GPUQ_SPOOL"/journal/* "$GPUQ_SPOOL/journal/9000000000000000"
    unit journal::begin
    [ "$(ls "$GPUQ_SPOOL/journal" | tail -1)" = 9000000000000001 ]
    grep -qx 'next 9000000000000001' "$GPUQ_SPOOL/journal/9000000000000000"
}

@test "a canceller decides under the lock under which others heal" {
    script job.sh "touch $PWD/ran"
    gpuq drain
    id=$(gpuq submit --script job.sh)
    exec 7>>"$GPUQ_SPOOL/lock"
    flock 7
    gpuq cancel "$id" 7>&- &
    until_true grep -q -- "-> FLOCK .*:$(stat -c %i "$GPUQ_SPOOL/lock") " /proc/locks
    [ ! -e "$(home "$id")/begun" ]
    exec 7>&-
    wait
    grep -qx 'outcome cancelled' "$(home "$id")/status"
}

@test "a waiting job of a drained node is cancelled and withdrawn, by hand and by the server" {
    script job.sh "touch $PWD/ran"
    gpuq drain
    id=$(gpuq submit --script job.sh)
    gpuq cancel "$id"
    id=$(gpuq submit --script job.sh)
    gpuq withdraw "$id"
    id=$(gpuq submit --script job.sh)
    other=$(gpuq submit --script job.sh)
    { send 1 0 withdraw "$id" 1; send 2 0 cancel "$other" 1; } | gpuq serve >answers
    grep -qx 'outcome withdrawn' answers
    grep -qx 'outcome cancelled' answers
    is_idle
    [ ! -e ran ]
}

@test "nvidia-smi that fails is asked again; until it answers nothing starts and nothing is refused for good" {
    setting GPUQ_SLOTS ''
    wrap true '' # bin comes first in $PATH
    printf '%s\n' '#!/bin/sh' "cat $PWD/gpus" >bin/nvidia-smi # there are none: it fails
    chmod +x bin/nvidia-smi
    payload "$ID" 1 ':' gpus 2
    send_payload 1 "$ID" 1 | gpuq serve | grep -q '^1 75 '
    gpuq info | grep -qE '^slots +0$'
    gpuq queue | grep -q 'nvidia-smi'
    printf 'GPU %d: NVIDIA H100\n' 0 1 >gpus
    send_payload 1 "$ID" 1 | gpuq serve | grep -q '^1 0 '
    gpuq wait "$ID"
    rm gpus
    gpuq info | grep -qE '^slots +2$'
}

@test "a job that takes more slots than are left waits, says so, and lets others by" {
    setting GPUQ_SLOTS 2
    script job.sh ':'
    gpuq drain
    wide=$(gpuq submit --script job.sh --gpus 2)
    narrow=$(gpuq submit --script job.sh)
    setting GPUQ_SLOTS 1
    gpuq resume
    gpuq wait "$narrow"
    gpuq queue | grep -q "$wide.*2 slots, there are 1"
    state_is "$wide" waiting
    setting GPUQ_SLOTS 2
    gpuq wait "$wide"
}

@test "a job that was released does not run once more from a copy of its submit" {
    payload "$ID" 1 "echo x >>$PWD/ran"
    send_payload 1 "$ID" 1 | gpuq serve >/dev/null
    gpuq wait "$ID"
    cp -r "$(home "$ID")" copy
    gpuq release "$ID"
    sed -i '/^ended\|^started\|^outcome\|^exit/d; s/^state.*/state waiting/; s/^seq.*/seq 1/' copy/status
    rm copy/begun copy/verdict
    cp -r copy "$(home "$ID")" # as a kill leaves it between the rename and a look at released/
    gpuq recover
    [ ! -e "$(home "$ID")" ]
    cp -r copy "$(home "$ID")"
    send_payload 1 "$ID" 1 | gpuq serve | grep -qx 'outcome exited'
    [ ! -e "$(home "$ID")" ]
    gpuq recover
    is_idle
    [ "$(<ran)" = x ]
    # It is no job that waits either, while it cannot be dropped.
    cp -r copy "$(home "$ID")"
    wrap mv "[[ \$* != *jobs/$ID.1* ]] || exit 1"
    send_payload 1 "$ID" 1 | gpuq serve | grep -q '^1 75 '
    is_idle
    rm bin/mv
    gpuq recover
    [ ! -e "$(home "$ID")" ]
    [ "$(<ran)" = x ]
}

@test "a job that somebody else releases at the same moment is released for both" {
    payload "$ID" 1 'true'
    send_payload 1 "$ID" 1 | gpuq serve >/dev/null
    gpuq wait "$ID"
    unit 'source "$GPUQ_ROOT/libexec/gpuq-release"
        eval "$(declare -f job::status | sed "1s/status/read/")"
        job::status() { mv -- "$1" "$SPOOL/released/" && job::read "$1"; }
        release::answer "$2.1"' "$ID"
    [ -d "$GPUQ_SPOOL/released/$ID.1" ]
    run unit 'source "$GPUQ_ROOT/libexec/gpuq-release"; release::answer "$2.1" || { echo "$? $REPLY"; false; }' "${ID/5/6}"
    [ "$output" = "66 no job ${ID/5/6} with attempt 1 here" ]
}

@test "a process group whose number is another's by now is left alone" {
    setsid sleep 4731 &
    sleeper=$!
    until_true pgrep -g "$sleeper"
    unit 'MACHINE[contain]=group; contain::clear "$2 1"' "$sleeper"
    kill -0 "$sleeper"
    unit 'MACHINE[contain]=group; process::born "$2"; contain::clear "$2 $REPLY"' "$sleeper"
    run ! kill -0 "$sleeper"
}

@test "a submit of a job can be started again by hand, where it ran" {
    script job.sh 'echo "$GREETING"'
    id=$(gpuq submit --script job.sh --env GREETING=hello)
    gpuq wait "$id"
    cd "$(home "$id")/work"
    [ "$(bash launch.sh)" = hello ]
    cd "$OLDPWD"
    script solution.py 'exit 7'
    id=$(gpuq submit solution.py --competition pizza)
    gpuq wait "$id"
    rm "$(home "$id")/work/results.jsonl"
    (cd "$(home "$id")/work" && bash launch.sh)
    [ "$(<"$(home "$id")/work/results.jsonl")" = '{"competition": "pizza", "exit_code": 7}' ]
}

stuck() { gpuq doctor | grep 'does not die'; }

@test "a job that does not die keeps its slot: a cancel is not confirmed, nothing else starts, and the doctor says so" {
    freeze
    script job.sh "echo x >$PWD/disk/file"
    script next.sh ':'
    id=$(gpuq submit --script job.sh)
    next=$(gpuq submit --script next.sh)
    until_true grep -q '^contained' "$(home "$id")/life"
    gpuq cancel --no-wait "$id"
    kill -KILL "$(supervisor_of "$id")"
    until_true stuck
    gpuq recover
    state_is "$id" running
    state_is "$next" waiting
    [ "$(slots_taken)" -eq 1 ]
    thaw
    run gpuq wait "$id"
    [ "$status" -eq 130 ]
    gpuq wait "$next"
}
