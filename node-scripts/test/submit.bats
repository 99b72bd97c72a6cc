#!/usr/bin/env bats
load fixture

@test "prints the id alone and the job ends with its script's code" {
    script job.sh 'echo out; echo err >&2; exit 3'
    run --separate-stderr gpuq submit --script job.sh --name first
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ $output =~ ^[0-9a-f-]{36}$ ]]
    id=$output
    run gpuq wait "$id"
    [ "$status" -eq 3 ]
    [ "$(gpuq log "$id")" = out ]
    [ "$(gpuq log --stderr "$id")" = err ]
}

@test "a graded solution leaves sealed results" {
    script solution.py 'exit 7'
    id=$(gpuq submit solution.py --competition pizza)
    run gpuq wait "$id"
    [ "$status" -eq 0 ]
    [ "$(gpuq fetch "$id" results)" = '{"competition": "pizza", "exit_code": 7}' ]
    sum=$(sha256sum <"$(home "$id")/work/results.jsonl")
    run gpuq status "$id"
    says "results_sha256  ${sum%% *}"
    says "results_size    41"
    gpuq log "$id" | grep -q 'NO ISOLATION'
}

@test "files are copied and measured to the byte, small and large, with NULs and without" {
    for size in 0 1 16384 16385; do
        { printf 'head -c %d /dev/zero; head -c %d /dev/zero | tr "\\0" a >&2; exit 0\n' "$size" "$size"; head -c "$size" /dev/urandom; } >job.sh
        id=$(gpuq submit --script job.sh)
        gpuq wait "$id"
        cmp job.sh "$(home "$id")/work/job.sh"
        run gpuq status "$id"
        says "stdout_size     $size"
        says "stderr_size     $size"
    done
}

@test "--env reaches the script byte for byte" {
    script job.sh 'printf "%s" "$HOSTILE"'
    hostile=$'a\'b"c$(touch pwned)`id`\\ & * é'
    id=$(gpuq submit --script job.sh --env "HOSTILE=$hostile")
    gpuq wait "$id"
    [ "$(gpuq log "$id")" = "$hostile" ]
}

@test "hostile values in every fact come out of the executed prologue as they went in" {
    hostile=$'x\' "y" $(touch pwned) `touch pwned` \\ & ! * é'
    script solution.py ':'
    id=$(gpuq submit solution.py --competition pizza --name "$hostile" --priority -7)
    work=$(home "$id")/work
    printf '%s\n' 'printf "%s|%s|%s" "$GPUQ_NAME" "$GPUQ_COMPETITION" "$GPUQ_PRIORITY"' >ending
    { sed '/^$/q' "$work/launch.sh"; cat ending; } >whole
    [ "$(bash whole)" = "$hostile|pizza|-7" ]
    [ ! -e pwned ]
    [ ! -e "$work/pwned" ]
    LC_ALL=C.UTF-8 shellcheck -s bash -e SC2034,SC2016 <(sed '/^$/q' "$work/launch.sh")
    gpuq wait "$id"
}

@test "the launch script is the prologue of the page and the body, byte for byte" {
    script solution.py ':'
    id=$(gpuq submit solution.py --competition pizza --time 60)
    {
        printf "%s\n" '#!/usr/bin/env bash' '# gpuq launch script' "GPUQ_JOB='$id'" "GPUQ_ATTEMPT='1'" \
            "GPUQ_ORIGIN='operator'" "GPUQ_USER='operator'" "GPUQ_PROJECT=''" "GPUQ_NAME=''" "GPUQ_COMPETITION='pizza'" \
            "GPUQ_TEMPLATE='process'" "GPUQ_GPUS='1'" "GPUQ_PRIORITY='0'" "GPUQ_EXPECTED_TIME='60'" "GPUQ_TIME_LIMIT='60'" \
            "GPUQ_SUBMITTED_AT='$(awk '$1 == "submitted_at" {print $2}' "$(home "$id")/job")'" ''
        cat "$NODE_SCRIPTS/../templates/launch/process.sh"
    } >expected
    cmp expected "$(home "$id")/work/launch.sh"
    gpuq wait "$id"
}

@test "wrong use is one line and exit 64" {
    script job.sh ':'
    for line in '' '--script' '--script absent.sh' 'absent.py --competition pizza' 'job.sh' 'job.sh --competition ../x' \
        '--script job.sh --gpus 0' '--script job.sh --gpus 2' '--script job.sh --priority 101' '--script job.sh --time 1.5' \
        '--script job.sh --env 1=2' '--script job.sh --competition pizza' '--nonsense'; do
        # shellcheck disable=SC2086  # words
        run --separate-stderr gpuq submit $line
        [ "$status" -eq 64 ] && [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ] || {
            printf '%s -> %s: %s\n' "$line" "$status" "$stderr"
            return 1
        }
    done
    is_empty incoming jobs queue
}

@test "without a template graded jobs are refused with a sentence" {
    setting GPUQ_TEMPLATE ''
    script solution.py ':'
    run gpuq submit solution.py --competition pizza
    [ "$status" -eq 64 ]
    [[ $output == *GPUQ_TEMPLATE* ]]
}

@test "missing data is the node's fault, not the solution's" {
    script solution.py ':'
    id=$(gpuq submit solution.py --competition absent)
    run gpuq wait "$id"
    [ "$status" -eq 75 ]
    [[ $output == *'data of absent'* ]]
    run gpuq status "$id"
    says 'reason          launch_failed'
}

@test "the time limit of a script ends it, and everything that it left behind" {
    script job.sh 'setsid sleep 4711.1 & sleep 4711.2'
    id=$(gpuq submit --script job.sh --time 1)
    run gpuq wait "$id"
    [ "$status" -eq 124 ]
    nothing_runs 'sleep 4711'
}

@test "jobs start in the order of priority and age, and the head is never overtaken" {
    setting GPUQ_SLOTS 2
    script block.sh 'until [ -e "$GO" ]; do sleep 0.02; done'
    script mark.sh 'echo "$GPUQ_NAME" >>"$LIST"'
    block=$(gpuq submit --script block.sh --env "GO=$PWD/go")
    until_true state_is "$block" running
    wide=$(gpuq submit --script mark.sh --name wide --gpus 2 --env "LIST=$PWD/list")
    late=$(gpuq submit --script mark.sh --name late --env "LIST=$PWD/list")
    first=$(gpuq submit --script mark.sh --name first --gpus 2 --priority 1 --env "LIST=$PWD/list")
    gpuq dispatch
    [ ! -e list ]
    touch go
    for id in "$wide" "$late" "$first"; do gpuq wait "$id"; done
    [ "$(<list)" = $'first\nwide\nlate' ]
}

@test "submits at once (200, or GPUQ_TEST_SUBMITS): all run once, and two slots are never shared" {
    setting GPUQ_SLOTS 2
    script job.sh 'set -C; : >"$DIR/slot$GPUQ_SLOTS_HELD" || { echo shared >>"$DIR/shared"; exit 1; }
        echo "$GPUQ_JOB" >>"$DIR/ran"; rm "$DIR/slot$GPUQ_SLOTS_HELD"'
    mkdir dir
    seq "$SUBMITS" |
        xargs -P 20 -I{} gpuq submit --script job.sh --env "DIR=$PWD/dir" >ids
    [ "$(sort -u ids | wc -l)" -eq "$SUBMITS" ]
    until_true is_idle
    [ ! -e dir/shared ]
    diff <(sort ids) <(sort dir/ran)
}
