#!/usr/bin/env bats
#
# Bare hosts become a fleet, by real ansible-playbook over real SSH; the tests follow each other as an operator's days do.

load ../../.ci/test/bed
load rollout

setup_file() {
    make_bed
    rollout::hosts
    rollout::inventory
}

teardown_file() {
    end_bed
}

setup() {
    cd "$BATS_TEST_TMPDIR"
}

bare() { # HOST…
    local name
    for name; do
        host console "$name" sh -c '! test -e /opt/gpuq && ! test -e /opt/gpuq-server && ! test -e /etc/gpuq && ! id gpuuser && ! id gpuq' 2>/dev/null
    done
}

@test "playbooks, roles and the example are clean at the strictest profile of ansible-lint" {
    cd "$CHECKOUT/ansible"
    HOME=$BATS_TEST_TMPDIR run ansible-lint --nocolor --offline --profile production -p ./*.yml roles example-inventory/hosts.yml example-inventory/group_vars/*/*.yml
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "wrong variables are named before anything is touched" {
    run play site.yml -e node_grace=soon -e node_template=docker
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"argument 'node_grace' is of type"*"unable to convert to int"* ]]
    [[ $output == *"value of node_template must be one of: aira-dojo, process, got: docker"* ]]
    for weak in short change-me-to-something-long; do
        run play site.yml -e server_database_password="$weak"
        echo "$output"
        [ "$status" -ne 0 ]
        [[ $output == *"server_database_password has 12 or more"* ]]
    done
    run play site.yml -e '{"node_retention": "a while", "node_settings": {"PYTHN": "python3"}, "server_settings": {"server": {"prt": 1}}}'
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"h100-2: "*"there is no setting GPUQ_PYTHN"* && $output == *"GPUQ_RETENTION is 'a while'"* ]]
    [[ $output == *"queue-1: "*"server.prt"* ]]
    [[ $output == *"nothing is touched while something is wrong with "* ]]
    run play site.yml -e node_image_source=/no/such/image
    [ "$status" -ne 0 ]
    [[ $output == *"there is no /no/such/image on the machine that Ansible runs on"* ]]
    bare h1 h2 h3
}

@test "what must be there and is not is told in one sentence, and nothing is installed" {
    run play site.yml --limit nodes -e node_gpus=8
    [ "$status" -ne 0 ]
    [[ $output == *"h100-2: nvidia-smi does not run; the driver is the host's own business"* ]]
    run play site.yml --limit nodes -e '{"node_data_wanted": ["random-acts-of-pizza", "spooky"]}'
    [ "$status" -ne 0 ]
    [[ $output == *"h100-3: /srv/data (node_data) has no data of spooky"* ]]
    run play site.yml --limit h100-3 -e node_spool_mount=/var/spool/gpuq
    [ "$status" -ne 0 ]
    [[ $output == *"nothing is mounted on /var/spool/gpuq"* ]]
    run play site.yml --limit h100-3 -e node_template=aira-dojo
    [ "$status" -ne 0 ]
    [[ $output == *"there is no /home/gpuuser/aira-dojo/src/dojo/grade_code.py"* ]]
    run play site.yml --limit queue-1 -e server_mysql_package=no-such-package
    [ "$status" -ne 0 ]
    [[ $output == *"queue-1: apt knows no no-such-package"* ]]
    run play site.yml --limit h100-3 -e '{"node_packages": ["bash", "no-such-package"]}'
    [ "$status" -ne 0 ]
    [[ $output == *"h100-3: apt knows no no-such-package "* ]]
    bare h1 h2 h3
}

@test "--check --diff on bare hosts says what would be done, and does nothing" {
    run play site.yml --check --diff
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'+GPUQ_SPOOL=/var/spool/gpuq'* ]]
    [[ $output != *"$PASSWORD"* ]]
    bare h1 h2 h3
}

@test "one run makes a fleet of bare hosts, and shows the administrator's token" {
    run play site.yml
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output =~ 'The token of admin, which nobody can show again: '([^\"]+) ]]
    printf '%s' "${BASH_REMATCH[1]}" >"$BATS_FILE_TMPDIR/admin"
    [[ $output != *"$PASSWORD"* ]]
    untold queue-1 "$PASSWORD"
    until_true node_is 2 active
    until_true node_is 3 active
    api /api/nodes/3/drain -X POST -H "Authorization: Bearer $(<"$BATS_FILE_TMPDIR/admin")"
    api /api/nodes/3/resume -X POST -H "Authorization: Bearer $(<"$BATS_FILE_TMPDIR/admin")"
    a_user_of_the_queue
}

@test "a second run changes nothing, and shows no token" {
    run play site.yml
    unchanged
    [[ $output != *"The token of"* ]]
    run play site.yml --check --diff
    unchanged
}

@test "what runs where is as the documents say" {
    [[ $(host run --user gpuuser h2 gpuq info) == *"/mnt/disk/gpuq"* && $(host run --user gpuuser h3 gpuq info) == *"/var/spool/gpuq"* ]]
    host run h2 grep -qx GPUQ_UNIT_PROPERTIES=TasksMax=4000 /etc/gpuq/gpuq.conf
    host run h2 apptainer --version
    host run h2 systemctl is-active gpuq-dispatch.timer gpuq-purge.timer
    host run h2 test -f /var/lib/systemd/linger/gpuuser
    [[ $(host run h2 readlink -f /usr/local/bin/gpuq) == "/opt/gpuq/versions/$(<"$CHECKOUT/node-scripts/VERSION")-"*/node-scripts/bin/gpuq ]]
    [[ $(host run h2 cat /home/gpuuser/.ssh/authorized_keys) == 'command="/usr/local/bin/gpuq allow serve watch",restrict ssh-ed25519 '*' gpuq-server@queue-1' ]]
    host run h2 grep -q "^$(address h1) ssh-ed25519 " /etc/ssh/ssh_known_hosts
    [ "$(host run h1 sh -c 'cut -d " " -f 1 /etc/gpuq/known_hosts | sort | paste -sd " "')" = "$(address h2) $(address h3)" ]
    [ "$(host run h1 stat -c '%U %a' /etc/gpuq/server.env /etc/gpuq/id_ed25519 | paste -sd ' ')" = 'root 600 gpuq 400' ]
    [ "$(host run h1 systemctl show -p User --value gpuq-server)" = gpuq ]
    [ "$(host run h1 mysql -N -e "SELECT COUNT(*) FROM gpuq.nodes")" = 2 ]
    [[ $(host run h1 systemd-analyze security --no-pager gpuq-server | tail -n 1) =~ 'level for gpuq-server.service: '([0-9.]+) ]]
    [[ ${BASH_REMATCH[1]} == [012].* ]]
}

@test "a role can be run alone, and the rest of the fleet stays as it is" {
    run play site.yml --tags trust
    unchanged
    run play site.yml --tags node --limit h100-2 -e node_grace=3 --check --diff
    echo "$output"
    [[ $output == *-GPUQ_GRACE=1*+GPUQ_GRACE=3* ]]
    [ "$(host run h2 grep GRACE /etc/gpuq/gpuq.conf)" = GPUQ_GRACE=1 ]
    run play site.yml --tags node --limit h100-2 -e node_grace=3
    [ "$status" -eq 0 ]
    [ "$(changed h100-2)" = 1 ]
    [ "$(host run h2 grep GRACE /etc/gpuq/gpuq.conf)" = GPUQ_GRACE=3 ]
    play site.yml --tags node --limit h100-2
}

@test "settings that the scripts do not understand never get there" {
    local -r before=$(host run h2 sha256sum /etc/gpuq/gpuq.conf)
    run play site.yml --tags node --limit h100-2 -e '{"node_retention": "a while", "node_settings": {"PYTHN": "python3"}}'
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"there is no setting GPUQ_PYTHN"*"GPUQ_RETENTION is 'a while'"* ]]
    [ "$(host run h2 sha256sum /etc/gpuq/gpuq.conf)" = "$before" ]
    node_is 2 active
}

@test "what a job puts in the way of the server's key harms nobody but its user" {
    host run --user gpuuser h3 sh -c 'mv ~/.ssh ~/away && ln -s /srv/kept ~/.ssh'
    host run h3 mkdir /srv/kept
    run play site.yml --tags trust --limit h100-3
    [ "$(host run h3 stat -c %U /srv/kept)" = root ]
    [ "$status" -ne 0 ]
    host run --user gpuuser h3 sh -c 'rm ~/.ssh && mv ~/away ~/.ssh'
    run play site.yml --tags trust
    unchanged
}

@test "every node runs the golden solution, with its score, in its time" {
    run play verify.yml
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"h100-2: score 0.5 in "* && $output == *"h100-3: score 0.5 in "* ]]
    [[ $(api "/api/jobs?user_id=verify" | jq -c '[.jobs[] | [.node_id, .status]] | sort') == '[[2,"completed"],[3,"completed"]]' ]]
    run ! api /api/submit -F code=x
    untold queue-1 'Bearer '
}

@test "a node that is slow, one that computes wrong and one that takes no work are named" {
    local -r slow=/usr/lib/python3/dist-packages/slow.pth # what Python runs when it starts
    host console h3 sh -c "echo 'import sys, time; time.sleep(12 * sys.orig_argv[-1].endswith(\"solution.py\"))' >$slow && chmod 644 $slow"
    run play verify.yml -e verify_seconds=5
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"h100-2: score 0.5 in "* && $output == *"h100-3 (node 3): job "*" s, at most 10.0"* ]]
    sed 's/^DIGEST = "2/DIGEST = "3/' "$CHECKOUT/ansible/roles/verify/files/golden.py" >wrong.py
    host console h3 rm "$slow"
    run play verify.yml --limit h100-3 -e verify_solution="$PWD/wrong.py"
    [ "$status" -ne 0 ]
    [[ $output == *"h100-3 (node 3): job "*"this CPU computes wrong"* ]]
    host run --user gpuuser h3 gpuq drain --reason 'a test'
    until_true node_is 3 drained
    run play verify.yml
    host run --user gpuuser h3 gpuq resume
    [ "$status" -ne 0 ]
    [[ $output == *"h100-2: score 0.5 in "* && $output == *"h100-3 (node 3): No node can take it now: node 3 is drained (a test)."* ]]
    until_true node_is 3 active
}

@test "a host goes for repair, and comes back when its doctor has nothing against it" {
    run play drain.yml --limit h100-3
    [ "$status" -ne 0 ]
    [[ $output == *"say why, in one line"* ]]
    play drain.yml --limit h100-3 -e "{drain_reason: 'GPU 5 is \"broken\"; \$(reboot)'}"
    until_true node_is 3 drained
    # shellcheck disable=SC2016 # as it was typed
    [ "$(node 3 .reason)" = 'GPU 5 is "broken"; $(reboot)' ]
    host console h3 mv /srv/data /srv/data.away
    run play drain.yml --limit h100-3 -e drain_back=true
    [ "$status" -ne 0 ]
    [[ $output == *"h100-3 stays out: /srv/data holds the data of no competition"* ]]
    host console h3 mv /srv/data.away /srv/data
    play drain.yml --limit h100-3 -e drain_back=true
    until_true node_is 3 active
}

@test "site.yml does not upgrade: it says who does" {
    another_checkout 0.9.0
    run play site.yml
    [ "$status" -ne 0 ]
    [[ $output == *"ansible-playbook upgrade.yml brings it"* ]]
    [ "$(node 2 .version)" = "$(<"$CHECKOUT/node-scripts/VERSION")" ]
}

@test "an upgrade goes node by node while the fleet works, and loses nothing" {
    local -a jobs=()
    local -r before=$(host run h2 readlink -f /opt/gpuq/current)
    local job id
    for id in 2 3; do
        jobs+=("$(submit "$id" 'while not os.path.exists("/var/tmp/cue"): time.sleep(0.1)')")
    done
    until_true job_is "${jobs[0]}" running
    until_true job_is "${jobs[1]}" running
    FROM=$BATS_FILE_TMPDIR/0.9.0
    (run play upgrade.yml; printf '%s\n' "$output" "status $status") >"$BATS_TEST_TMPDIR/upgrade" 2>&1 3>&- &
    local -r upgrade=$!
    while kill -0 "$upgrade" 2>/dev/null; do # people go on as ever; while the server is started anew they ask again
        job=$(submit any 'time.sleep(1)') && jobs+=("$job") || true
        sleep 2 # no more than two nodes can end
    done
    wait "$upgrade"
    cat "$BATS_TEST_TMPDIR/upgrade"
    grep -q '^status 0$' "$BATS_TEST_TMPDIR/upgrade"
    [ "$(node 2 .version) $(node 3 .version)" = '0.9.0 0.9.0' ]
    ((${#jobs[@]} > 4))
    # what began before goes on with what it began with
    for id in 2 3; do
        host run "h$id" pgrep -u gpuuser -f "$before/node-scripts/"
        host run "h$id" touch /var/tmp/cue
    done
    for job in "${jobs[@]}"; do
        until_true job_ended "$job"
        job_is "$job" completed || {
            api "/api/results/$job"
            false
        }
        [ "$(api "/api/status/$job" | jq -c '[(.attempts // [])[].reason] - ["moved"]')" = '[]' ]
    done
    until_true node_is 2 active
    until_true node_is 3 active
    run play upgrade.yml
    unchanged
}

job_ended() { # JOB
    [[ $(api "/api/status/$1" | jq -r .status) != @(pending|running) ]]
}

# dies_when CONDITION…: an upgrade, only of TAGS if that is set, whose machine dies as soon as that is so.
dies_when() {
    control "setsid ansible-playbook upgrade.yml ${TAGS:+--tags $TAGS} & echo \$! >\"\$HOME/play\"; wait" >"$BATS_TEST_TMPDIR/play" 2>&1 3>&- &
    until_true_at_last "$@" || {
        cat "$BATS_TEST_TMPDIR/play"
        return 1
    }
    # shellcheck disable=SC2016 # as above
    control 'kill -KILL -- "-$(<"$HOME/play")"'
    wait $! || true
}

until_true_at_last() { # CONDITION…: as until_true, of a play that comes to it in a minute or two
    until_true "$@" || until_true "$@" || until_true "$@" || until_true "$@"
}

has_version() { # HOST LINK VERSION
    [[ $(host run "$1" readlink "$2") == "versions/$3-"* ]]
}

runs_version() { # VERSION: the server does
    # shellcheck disable=SC2016 # expanded there
    [[ $(host run h1 sh -c 'tr "\0" " " </proc/$(systemctl show -p MainPID --value gpuq-server)/cmdline') == *"/versions/$1-"* ]]
}

@test "an upgrade whose machine dies goes on with the next one where it was, and what somebody drained stays drained" {
    another_checkout 0.9.1
    host run --user gpuuser h3 gpuq drain --reason 'a test'
    dies_when has_version h1 /opt/gpuq-server/current 0.9.1
    runs_version 0.9.0
    dies_when has_version h2 /opt/gpuq/current 0.9.1
    runs_version 0.9.1
    [[ $(host run --user gpuuser h2 gpuq info --json | jq -r .drain) == 'upgrade from 0.9.0-'*' to 0.9.1-'* ]]
    host run h2 sh -c 'echo GPUQ_NEW=1 >>/etc/gpuq/gpuq.conf' # what only new scripts understand
    mkdir "$BATS_FILE_TMPDIR/inventory/host_vars"
    echo 'node_gpus: 1' >"$BATS_FILE_TMPDIR/inventory/host_vars/h100-3.yml" # which is broken: that is why it was drained
    run play upgrade.yml
    rm -r "$BATS_FILE_TMPDIR/inventory/host_vars"
    echo "$output"
    [ "$status" -eq 0 ]
    until_true node_is 2 active
    [ "$(node 2 .version) $(node 3 '.version + " " + .status + " " + .reason')" = '0.9.1 0.9.1 drained a test' ]
    host run --user gpuuser h3 gpuq resume
    until_true node_is 3 active
}

@test "scripts that the server does not understand are taken back, also half-way, and the other node never gets them" {
    another_checkout 0.9.2
    sed -i 's/GPUQ 1 %s/GPUQ 2 %s/' "$FROM/node-scripts/lib/spool.bash" # its greeting
    grep -q 'GPUQ 2 %s' "$FROM/node-scripts/lib/spool.bash"
    local -r settings=$(host run h2 cat /etc/gpuq/gpuq.conf)
    [[ $settings == *GPUQ_GRACE=1* ]]
    mkdir "$BATS_FILE_TMPDIR/inventory/host_vars"
    echo 'node_grace: 7' >"$BATS_FILE_TMPDIR/inventory/host_vars/h100-2.yml"
    TAGS=node dies_when host run h2 grep GPUQ_GRACE=7 /etc/gpuq/gpuq.conf
    [[ $(host run --user gpuuser h2 gpuq info --json | jq -r .drain) == 'upgrade from 0.9.1-'* ]]
    are_taken_back
    [ "$(host run h2 cat /etc/gpuq/gpuq.conf)" = "$settings" ]
    rm -r "$BATS_FILE_TMPDIR/inventory/host_vars"
    are_taken_back
}

are_taken_back() {
    run play upgrade.yml --tags node
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *"h100-2 is back on 0.9.1-"* ]]
    until_true node_is 2 active
    [ "$(node 2 .version) $(node 3 .version)" = '0.9.1 0.9.1' ]
    host run h3 sh -c '! ls /opt/gpuq/versions | grep -q 0.9.2'
}

@test "a host that is cut off does not hang a play, and the others get what is theirs" {
    FROM=$BATS_FILE_TMPDIR/0.9.1
    host cut h3
    local -r began=$SECONDS
    run play site.yml
    host heal h3
    echo "$output"
    [[ $output =~ (^|$'\n')h100-3\ [^$'\n']*unreachable=1 ]]
    [[ $output =~ (^|$'\n')h100-2\ [^$'\n']*unreachable=0\ *failed=0 ]]
    ((SECONDS - began < 120))
    until_true node_is 3 active
}

@test "a host leaves: it ends its jobs, the server forgets it, and the others go on" {
    FROM=$BATS_FILE_TMPDIR/0.9.1
    run play remove.yml
    [ "$status" -ne 0 ]
    [[ $output == *"name the node that leaves: -e leaving=NAME, one of h100-2, h100-3"* ]]
    local -r job=$(submit 3 'time.sleep(5)')
    play remove.yml -e leaving=h100-3
    job_is "$job" completed
    [ "$(api /api/nodes | jq -c '[.nodes[].node_id]')" = '[2]' ]
    host run h1 sh -c "! grep -q '^$(address h3) ' /etc/gpuq/known_hosts"
    host run h3 sh -c '! grep -q gpuq-server@queue-1 /home/gpuuser/.ssh/authorized_keys && ! systemctl is-enabled --quiet gpuq-dispatch.timer'
    play site.yml # it is still in the inventory: back again, and drained as it was
    until_true node_is 3 drained
    play drain.yml --limit h100-3 -e drain_back=true
    until_true node_is 3 active
}

@test "a host that is gone for good leaves, too, and its jobs run elsewhere" {
    FROM=$BATS_FILE_TMPDIR/0.9.1
    host run --user gpuuser h2 gpuq drain --reason 'a test'
    until_true node_is 2 drained
    local -r job=$(submit any 'time.sleep(600)')
    until_true job_is "$job" running
    host kill h3
    until_true node_is 3 unreachable
    play remove.yml -e leaving=h100-3 -e leaving_lost=true
    [ "$(api /api/nodes | jq -c '[.nodes[].node_id]')" = '[2]' ]
    host run --user gpuuser h2 gpuq resume
    until_true job_is "$job" running
    [ "$(api "/api/status/$job" | jq -c '[.node_id, .attempts[0].reason]')" = '[2,"node_lost"]' ]
}
