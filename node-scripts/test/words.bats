#!/usr/bin/env bats
load fixture

@test "every verb has help, a summary, and refuses what it does not know" {
    for file in "$NODE_SCRIPTS"/libexec/gpuq-*; do
        verb=${file##*/gpuq-}
        run gpuq "$verb" --help
        [ "$status" -eq 0 ]
        [[ ${lines[0]} == "Usage: gpuq $verb"* ]]
        gpuq help | grep -q "^  $verb  *[a-z]"
        run --separate-stderr gpuq "$verb" --nonsense 1 2 3
        [ "$status" -eq 64 ] && [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ] || {
            printf '%s: %s %s\n' "$verb" "$status" "$stderr"
            return 1
        }
    done
    run gpuq fly
    [ "$status" -eq 64 ]
}

@test "behind a link it finds itself" {
    ln -s "$NODE_SCRIPTS" current
    ln -s "$NODE_SCRIPTS/bin/gpuq" gpuq
    [ "$(./gpuq version)" = "gpuq $(<"$NODE_SCRIPTS/VERSION")" ]
    [ "$(current/bin/gpuq version)" = "gpuq $(<"$NODE_SCRIPTS/VERSION")" ]
}

@test "all faults of the configuration are told at once, with exit 78" {
    printf '%s\n' GPUQ_SLTS=2 'GPUQ_GRACE=soon' 'what' >"$GPUQ_CONF"
    run gpuq info
    [ "$status" -eq 78 ]
    [[ $output == *GPUQ_SLTS* && $output == *GPUQ_GRACE* && $output == *'line 3'* ]]
}

@test "the environment wins over the file" {
    GPUQ_SLOTS=3 gpuq info | grep -qE '^slots +3$'
}

@test "GPUs are counted once a boot by nvidia-smi; without one there is one slot" {
    setting GPUQ_SLOTS ''
    gpuq info | grep -qE '^slots +1$'
    rm -rf "$GPUQ_SPOOL"
    mkdir bin
    printf '%s\n' '#!/bin/sh' 'echo x >>called' 'echo "GPU 0: NVIDIA H100 (UUID: x)"' 'echo "GPU 1: NVIDIA H100 (UUID: y)"' >bin/nvidia-smi
    chmod +x bin/nvidia-smi
    PATH=$PWD/bin:$PATH gpuq info | grep -qE '^slots +2$'
    PATH=$PWD/bin:$PATH gpuq info | grep -qE '^slots +2$'
    [ "$(<called)" = x ]
}

@test "queue, list, status and info are JSON on demand" {
    script job.sh 'sleep 4723'
    id=$(gpuq submit --script job.sh --name 'a "quoted" \ name')
    waiting=$(gpuq submit --script job.sh)
    until_true state_is "$id" running
    [ "$(gpuq queue --json | jq -r '.[].state' | tr '\n' ' ')" = 'running waiting ' ]
    [ "$(gpuq status --json "$id" | jq -r .name)" = 'a "quoted" \ name' ]
    [ "$(gpuq status --json "$id" | jq -c .slots)" = '[0]' ]
    [ "$(gpuq list --json | jq length)" -eq 2 ]
    [ "$(gpuq info --json | jq -c '[.running, .waiting, .slots, .competitions]')" = '[1,1,1,["pizza"]]' ]
    gpuq withdraw "$waiting"
    gpuq cancel "$id"
}

@test "a drained node still queues by hand, starts nothing, says why, and resumes" {
    script job.sh ':'
    gpuq drain --reason 'new fans'
    id=$(gpuq submit --script job.sh)
    gpuq queue | grep -q 'new fans'
    gpuq dispatch
    state_is "$id" waiting
    gpuq resume
    gpuq wait "$id"
}

@test "a long reason of a drain is told to its last byte" {
    reason=$(printf 'x%.0s' {1..499})y
    gpuq drain --reason "$reason"
    [ "$(gpuq info --json | jq -r .drain)" = "$reason" ]
    send 1 0 info | gpuq serve | grep -qx "drain $reason"
}

@test "fetch prints results, and says when there are none" {
    script job.sh 'echo x >results.jsonl'
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id"
    [ "$(gpuq fetch "$id" results)" = x ]
    gpuq release "$id"
    [ "$(gpuq fetch "$id" results)" = x ]
    [ "$(gpuq list | wc -l)" -eq 1 ]
    [ "$(gpuq list --all | wc -l)" -eq 2 ]
    script job.sh ':'
    id=$(gpuq submit --script job.sh)
    gpuq wait "$id"
    run gpuq fetch "$id" results
    [ "$status" -eq 66 ]
}

@test "a spool of somebody else is not touched" {
    gpuq info >/dev/null
    chown nobody "$GPUQ_SPOOL"
    run gpuq info
    [ "$status" -eq 77 ]
}

@test "a key that is restricted by authorized_keys runs the verbs that it names, and nothing that somebody puts around them" {
    local asked
    for asked in '/opt/gpuq/bin/gpuq serve' 'gpuq serve'; do
        SSH_ORIGINAL_COMMAND=$asked gpuq allow serve watch </dev/null | grep -q '^GPUQ 1 serve '
    done
    SSH_ORIGINAL_COMMAND='gpuq watch --from 0:0 --beat 5' gpuq allow serve watch </dev/null | grep -q '^GPUQ 1 watch '
    for asked in '' gpuq 'gpuq submit' 'gpuq serve; touch pwned' 'gpuq serve $(touch pwned)' 'gpuq serve `touch pwned`' $'gpuq serve\ntouch pwned' \
        'gpuq  serve' 'bash -c serve' 'touch pwned' 'gpuq serve *' 'gpuq allow serve'; do
        run env SSH_ORIGINAL_COMMAND="$asked" gpuq allow serve watch </dev/null
        [ "$status" -eq 77 ]
        [ "${#lines[@]}" -eq 1 ]
    done
    [ ! -e pwned ]
}
