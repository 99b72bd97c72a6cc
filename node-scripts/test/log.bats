#!/usr/bin/env bats
load fixture

talker() { # a job that says one, then what `go` holds, then ends, in ID_TALKS
    script talk.sh 'echo one; until [ -e "$GO" ]; do sleep 0.02; done; cat "$GO"'
    ID_TALKS=$(gpuq submit --script talk.sh --env "GO=$PWD/go")
}

no_follower() { # nothing of a `gpuq log` is left, nor what it started
    nothing_runs "gpuq log"
    nothing_runs "tail .*-f"
}

go() { # TEXT: what the job says at last
    printf '%s\n' "$1" >.go
    mv .go go
}

@test "log --follow prints what comes and ends with the job" {
    talker
    gpuq log --follow "$ID_TALKS" >followed &
    until_true grep -q one followed
    go two
    wait
    [ "$(<followed)" = $'one\ntwo' ]
    no_follower
}

@test "what is printed right before the end is followed to its last byte, by two at once" {
    for ((i = 0; i < 5; i++)); do
        rm -f go
        talker
        gpuq log -f "$ID_TALKS" >first &
        gpuq log -f "$ID_TALKS" >second &
        until_true grep -q one first
        until_true grep -q one second
        seq 50000 >.go
        mv .go go
        wait
        { echo one && seq 50000; } >expected
        cmp expected first
        cmp expected second
    done
}

@test "follow begins where a job waits, says so, and prints from its first line on" {
    gpuq drain
    talker
    gpuq log -f "$ID_TALKS" >followed 2>told &
    until_true grep -q 'waits at position 1, for gpuq resume' told
    go two
    gpuq resume
    wait
    [ "$(<followed)" = $'one\ntwo' ]
    [ "$(wc -l <told)" -eq 1 ]
}

@test "following a job that is cancelled while it waits ends" {
    gpuq drain
    talker
    gpuq log -f "$ID_TALKS" 2>told &
    until_true test -s told
    gpuq cancel "$ID_TALKS"
    wait $!
}

@test "-n shows the last lines, and follows them" {
    talker
    until_true grep -q one "$(home "$ID_TALKS")/stdout"
    gpuq log -fn1 "$ID_TALKS" >last &
    gpuq log -f --lines=0 "$ID_TALKS" >none &
    until_true runs 'tail .*-n0'
    until_true grep -q one last
    go $'two\nthree'
    wait
    [ "$(<last)" = $'one\ntwo\nthree' ]
    [ "$(<none)" = $'two\nthree' ]
    [ "$(gpuq log -n 2 "$ID_TALKS")" = $'two\nthree' ]
    [ "$(gpuq log -f -n2 "$ID_TALKS")" = $'two\nthree' ]
    run gpuq log -n two "$ID_TALKS"
    [ "$status" -eq 64 ]
}

@test "a reader who goes away ends it promptly" {
    talker
    [ "$(timeout 20 gpuq log -f "$ID_TALKS" | head -1)" = one ]
    until_true no_follower
    state_is "$ID_TALKS" running
    go two
    gpuq wait "$ID_TALKS"
}

@test "Ctrl-C ends it at once and leaves no process; so does every other end" {
    talker
    # A terminal of its own, so that the interrupt comes from there, as it does for people.
    mkfifo keys
    "$BATS_TEST_DIRNAME/terminal" 80 gpuq log -f "$ID_TALKS" <keys >seen &
    exec 7>keys
    until_true grep -q one seen
    printf '\003' >&7
    wait $! || :
    exec 7>&-
    until_true no_follower
    for signal in TERM KILL; do
        gpuq log -f "$ID_TALKS" >seen &
        follower=$!
        until_true grep -q one seen
        kill -s "$signal" "$follower"
        wait "$follower" || :
        until_true no_follower
    done
    go two
    gpuq wait "$ID_TALKS"
}

@test "a job cannot lead its follower out of the spool" {
    echo secret >secret
    script job.sh 'rm ../stdout; eval "$HOW"; echo done >"$DONE"; until [ -e "$GO" ]; do sleep 0.02; done'
    for how in "ln -s $PWD/secret ../stdout" 'mkfifo ../stdout' 'mkdir ../stdout'; do
        rm -f go ready
        id=$(gpuq submit --script job.sh --env "HOW=$how" --env "GO=$PWD/go" --env "DONE=$PWD/ready")
        until_true test -e ready
        gpuq log -f "$id" >followed &
        [ -z "$(timeout 20 gpuq log "$id")" ]
        touch go
        wait $!
        [ ! -s followed ]
        gpuq wait "$id"
    done
}

@test "the journal may begin anew while somebody follows" {
    talker
    gpuq log -f "$ID_TALKS" >followed &
    until_true grep -q one followed
    unit 'spool::lock; journal::begin; spool::unlock'
    go two
    wait
    [ "$(<followed)" = $'one\ntwo' ]
}

@test "wait ends as soon as the job does, with the bell" {
    least=9999999
    for ((i = 0; i < 3; i++)); do
        rm -f go
        talker
        gpuq wait "$ID_TALKS" &
        waiter=$!
        # From here it looks again after two seconds, unless it hears the bell.
        until_true runs "tail --pid=$waiter"
        go two
        wait "$waiter"
        took=$((${EPOCHREALTIME/./} - $(awk '$1 == "ended_at" {print $2}' "$(home "$ID_TALKS")/status")))
        ((took > least)) || least=$took
    done
    echo "$least microseconds at best"
    ((least < 500000))
}

@test "wait and cancel take several jobs; wait exits as the first that did not end well" {
    setting GPUQ_SLOTS 3
    script good.sh ':'
    script bad.sh 'exit 7'
    script long.sh 'sleep 4731'
    good=$(gpuq submit --script good.sh)
    bad=$(gpuq submit --script bad.sh)
    one=$(gpuq submit --script long.sh) two=$(gpuq submit --script long.sh)
    gpuq cancel "$one" "$two"
    run gpuq wait "$good" "$bad" "$one"
    [ "$status" -eq 7 ]
    run gpuq wait "$good" "$two" "$bad"
    [ "$status" -eq 130 ]
    [[ $output == *"$two was cancelled"* ]]
    run gpuq wait "$good" ffff
    [ "$status" -eq 66 ]
    run gpuq cancel "$good" "$one"
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
}

@test "timeout ends a wait, and nothing of it stays" {
    talker
    run timeout 1 gpuq wait "$ID_TALKS"
    [ "$status" -eq 124 ]
    until_true nothing_runs 'gpuq wait'
    until_true nothing_runs "tail .*$GPUQ_SPOOL/journal"
    go two
    gpuq wait "$ID_TALKS"
}
