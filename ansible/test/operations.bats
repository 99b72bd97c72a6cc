#!/usr/bin/env bats
#
# docs/operations.md, as an operator follows it: each section's commands in their order, on a fleet with what the section is about.

load ../../.ci/test/bed
load rollout

setup_file() {
    make_bed
    rollout::hosts
    rollout::inventory
    play site.yml >"$BATS_FILE_TMPDIR/site"
    grep -o 'nobody can show again: [^"]*' "$BATS_FILE_TMPDIR/site" | sed 's/.*: //' >"$BATS_FILE_TMPDIR/admin"
    a_user_of_the_queue
    until_true node_is 2 active
    until_true node_is 3 active
}

teardown_file() {
    end_bed
}

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# section TITLE [FROM-LINE [TO-LINE]]: runs the commands of that section of the page, or some of them by their numbers. The first that fails ends it.
section() {
    local prompt command
    local -i number=0
    # shellcheck disable=SC2016 # backquotes of Markdown
    while IFS=' ' read -r prompt command; do
        number+=1
        ((number >= ${2:-1} && number <= ${3:-99})) || continue
        printf '%s %s\n' "$prompt" "$command"
        case $prompt in
            'control$') control "$command" ;;
            'queue-1#') host run h1 env SERVER="$SERVER" TOKEN="$(<"$BATS_FILE_TMPDIR/admin")" bash -euo pipefail -c "$command" ;;
            'h100-3$') host run --user gpuuser h3 bash -euo pipefail -c "$command" ;;
            *) printf 'nobody knows where %s is\n' "$prompt" && return 1 ;;
        esac </dev/null 3>&- || {
            printf 'that failed: %d\n' "$?"
            return 1
        }
    done < <(sed -n "/^## $1\$/,/^## /p" "$CHECKOUT/docs/operations.md" | sed -n '/^```console$/,/^```$/ { /^```/d; p }')
    ((number > 0))
}

@test "a day" {
    run section 'A day'
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'[3,"active",0,0,null]'* ]]
}

@test "a change of settings" {
    section 'A change of settings'
}

@test "an upgrade" {
    another_checkout 0.9.0
    section 'An upgrade'
    [ "$(node 3 .version)" = 0.9.0 ]
}

@test "a broken GPU" {
    FROM=$BATS_FILE_TMPDIR/0.9.0
    local -r job=$(submit 3 'time.sleep(3)')
    section 'A broken GPU' 1 2
    node_is 3 drained
    [ "$(node 3 .reason)" = 'GPU 5 is broken' ]
    job_is "$job" completed
    section 'A broken GPU' 3
    node_is 3 active
}

@test "a full disk" {
    local -r job=$(submit 3 'time.sleep(1)')
    until_true job_is "$job" completed
    host console h3 sh -euc 'sed -i "s/GPUQ_DISK_FREE=.*/GPUQ_DISK_FREE=999999/; s/GPUQ_RETENTION=.*/GPUQ_RETENTION=0/" /etc/gpuq/gpuq.conf'
    until_true node_is 3 unhealthy
    run section 'A full disk' 1 4
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"jobs need 999999 GiB"* && $output == *"$job"* ]]
    host console h3 sh -euc 'sed -i "s/GPUQ_DISK_FREE=.*/GPUQ_DISK_FREE=0/; s/GPUQ_RETENTION=.*/GPUQ_RETENTION=30d/" /etc/gpuq/gpuq.conf' # somebody made room
    section 'A full disk' 5
    until_true node_is 3 active
    [ "$(api "/api/results/$job" | jq -r .status)" = completed ]
}

@test "a lost host" {
    FROM=$BATS_FILE_TMPDIR/0.9.0
    local -r job=$(submit 3 'time.sleep(600)')
    until_true job_is "$job" running
    host kill h3
    until_true node_is 3 unreachable
    run section 'A lost host' 1 1
    [[ $output == *'"node_id":3'* ]]
    section 'A lost host' 2 3
    host up h3
    section 'A lost host' 4
    node_is 3 active
    api "/api/cancel/$job" -X POST -H "Authorization: Bearer $(<"$BATS_FILE_TMPDIR/carol")"
}

@test "restoring a backup" {
    # shellcheck disable=SC2034 # where control plays
    FROM=$BATS_FILE_TMPDIR/0.9.0
    local -r before=$(submit 3 'time.sleep(20)')
    until_true job_is "$before" running
    section 'Restoring a backup' 1 1
    local -r after=$(submit 2 'time.sleep(20)')
    until_true job_is "$after" running
    section 'Restoring a backup' 2
    until_true job_is "$before" completed
    until_true job_is "$after" completed # which the backup did not know
}
