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

# In `theirs`: a folder that is open all the way up, whatever the mask and the place of this checkout.
as_nobody() { # WORD…
    [[ ${theirs:-} ]] || {
        theirs=$(mktemp -d /tmp/gpuq-theirs.XXXXXX)
        cp -r -- "$BATS_TEST_DIRNAME/.." "$theirs/node-scripts"
        cp -r -- "$BATS_TEST_DIRNAME/../../templates" "$theirs/templates"
        chmod -R a+rwX "$theirs"
        cd "$theirs"
    }
    setpriv --reuid=nobody --regid=nogroup --clear-groups env GPUQ_CONF=/dev/null GPUQ_SLOTS=1 GPUQ_GRACE=1 \
        "GPUQ_SPOOL=$theirs/spool" "GPUQ_DATA_DIR=$BATS_TEST_TMPDIR/data" \
        "$theirs/node-scripts/bin/gpuq" "$@"
}

@test "an ordinary user's jobs are contained, too" {
    as_nobody info >/dev/null
    printf '%s\n' '(setsid sleep 4724.1 &); sleep 4724.2' >job.sh
    id=$(as_nobody submit --script job.sh)
    until_true runs 'sleep 4724.1'
    kill -KILL "$(awk '$1 == "supervisor" {print $2}' "spool/jobs/$id.1/life")"
    until_true nothing_runs 'sleep 4724'
    run as_nobody wait "$id"
    [ "$status" -eq 75 ]
    rm -rf -- "$theirs"
}

@test "an ordinary user's job that locks its own home ends all the same, also without its supervisor" {
    as_nobody info >/dev/null
    printf '%s\n' 'echo out; chmod 0 ../* . ../.new ..; exit 5' >job.sh
    id=$(as_nobody submit --script job.sh)
    run as_nobody wait "$id"
    [ "$status" -eq 5 ]
    [ "$(as_nobody log "$id")" = out ]
    printf '%s\n' 'chmod 0 ../* . ../.new ..; sleep 4725' >job.sh
    id=$(as_nobody submit --script job.sh)
    until_true runs 'sleep 4725'
    kill -KILL "$(awk '$1 == "supervisor" {print $2}' "spool/jobs/$id.1/life")"
    run as_nobody wait "$id"
    [ "$status" -eq 75 ]
    [ "$(as_nobody status "$id" | awk '$1 == "reason" {print $2}')" = supervisor_lost ]
    rm -rf -- "$theirs"
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
