#!/usr/bin/env bats
load fixture

@test "rings for every change, with offsets that lead on" {
    script job.sh ':'
    gpuq info >/dev/null
    generation=$(ls "$GPUQ_SPOOL/journal")
    mkfifo in
    gpuq watch --from "$generation:0" <in >events &
    exec 7>in
    id=$(gpuq submit --script job.sh)
    until_true grep -q ended events
    exec 7>&-
    wait
    one=$((${#id} + 16)) # " 1 1 waiting 48" and the end of the line
    printf '%s\n' "journal $generation 0" "event $generation $one $id 1 1 waiting" "event $generation $((2 * one)) $id 1 2 running" \
        "event $generation $((3 * one - 2)) $id 1 3 ended" >expected
    diff expected <(sed 1d events)
    [ "$(stat -c %s "$GPUQ_SPOOL/journal/$generation")" -eq $((3 * one - 2)) ]
    gpuq watch --from "$generation:$one" </dev/null | sed -n 2p | grep -qx "journal $generation $one"
}

@test "begins at the end when it is asked for a generation that is not the present one" {
    gpuq info >/dev/null
    run gpuq watch --from 1:7 </dev/null
    [[ ${lines[0]} == 'GPUQ 1 watch spool='* ]]
    [ "${lines[1]}" = "journal $(ls "$GPUQ_SPOOL/journal") 0" ]
}

@test "beats while nothing happens" {
    mkfifo in
    gpuq watch --beat 1 <in >events &
    exec 7>in
    until_true grep -qE '^beat [0-9]{16}$' events
    exec 7>&-
    wait
}

@test "goes on into a new generation and skips half lines" {
    gpuq info >/dev/null
    generation=$(ls "$GPUQ_SPOOL/journal")
    mkfifo in
    gpuq watch --from "$generation:0" <in >events &
    exec 7>in
    until_true grep -q '^journal' events
    printf '550e8400-e29b-41d4 half\n%s 1 1 ended 99\nnext 1\n' "$ID" >"$GPUQ_SPOOL/journal/9999999999999999"
    printf 'next 9999999999999999\n' >>"$GPUQ_SPOOL/journal/$generation"
    until_true grep -qx 'journal 9999999999999999 0' events
    printf '%s 1 1 ended %d\n' "$ID" 46 >>"$GPUQ_SPOOL/journal/9999999999999999"
    until_true grep -q "^event 9999999999999999 [0-9]* $ID 1 1 ended" events
    [ "$(grep -c '^event' events)" -eq 1 ]
    exec 7>&-
    wait
}

@test "leaves no process behind, neither at the end of its input nor when it is killed" {
    gpuq info >/dev/null
    mkfifo in
    gpuq watch <in >events &
    watch=$!
    exec 7>in
    until_true grep -q '^journal' events
    until_true runs "tail .*$GPUQ_SPOOL/journal"
    kill -KILL "$watch"
    until_true nothing_runs "$GPUQ_SPOOL/journal"
    exec 7>&-
}

@test "a conversation that lasts turns a full generation into the next, and nobody who listens misses a bell" {
    gpuq info >/dev/null
    generation=$(ls "$GPUQ_SPOOL/journal")
    mkfifo in commands
    gpuq serve <commands >answers &
    exec 8>commands
    gpuq watch <in >events &
    exec 7>in
    until_true grep -q '^journal' events
    until_true grep -q '^GPUQ' answers
    head -c 1100000 /dev/zero | tr '\0' '\n' >>"$GPUQ_SPOOL/journal/$generation"
    next_begins() { grep -v "^journal $generation " events | grep '^journal'; }
    until_true next_begins
    script job.sh ':'
    id=$(gpuq submit --script job.sh)
    until_true grep -q "$id 1 3 ended" events
    exec 7>&- 8>&-
    wait
}

@test "a generation to which no line leads, because who began it was killed, is found at the next beat" {
    gpuq info >/dev/null
    mkfifo in
    gpuq watch --beat 1 <in >events &
    exec 7>in
    until_true grep -q '^beat' events
    : >"$GPUQ_SPOOL/journal/9000000000000000"
    until_true grep -qx 'journal 9000000000000000 0' events
    script job.sh ':'
    id=$(gpuq submit --script job.sh)
    until_true grep -q "^event 9000000000000000 [0-9]* $id 1 3 ended" events
    exec 7>&-
    wait
}
