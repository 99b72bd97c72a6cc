#!/usr/bin/env bats
# shellcheck disable=SC2016 # the hosts expand what is in single quotes
#
# The whole path over real sshd: a server, and three hosts with systemd as its nodes, which are cut, slowed, frozen and robbed of
# their power. Every test leaves them well.

load ../../../../.ci/test/bed
load cluster

setup_file() {
    make_bed
    cluster::nodes
    cluster::settings "${NODES[@]}"
    cluster::administrator
    cluster::serve
}

teardown_file() {
    end_bed
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    ids=() where=()
    until_true all_active
}

teardown() {
    [[ ${BATS_TEST_COMPLETED:-} ]] || {
        api /api/nodes
        tail -n 60 "$BATS_FILE_TMPDIR/server.log"
        [[ ! -e deeds ]] || paste -sd, deeds
        echo "GPUQ_TEST_SEED=$SEED"
        host heal "${NODES[@]}"
        host thaw "${NODES[@]}"
    }
}

@test "jobs spread over all nodes, are graded there, and each node has one connection" {
    submit 6 'time.sleep(2)'
    for id in "${ids[@]}"; do
        ended "$id"
    done
    [ "$(printf '%s\n' "${where[@]}" | sort | uniq -c | awk '{print $1, $2}' | paste -sd,)" = '2 1,2 2,2 3' ]
    for name in "${NODES[@]}"; do
        [ "$(host console "$name" sh -c 'ss -Htn state established "( sport = :22 )" | wc -l')" -eq 1 ]
    done
}

@test "the server's key opens the conversation and nothing else" {
    run -77 host in ssh -i "$BATS_FILE_TMPDIR/key" -o "UserKnownHostsFile=$BATS_FILE_TMPDIR/known_hosts" \
        "gpuuser@$(address h1)" cat /etc/passwd
    [[ $output == *"runs gpuq's serve watch and nothing else"* ]]
    run -77 host in ssh -i "$BATS_FILE_TMPDIR/key" -o "UserKnownHostsFile=$BATS_FILE_TMPDIR/known_hosts" "gpuuser@$(address h1)"
}

@test "a link that is cut in the middle of everything loses nothing and doubles nothing" {
    submit 9 'time.sleep(1)'
    host cut h2
    until_true condition_of 2 unreachable
    host heal h2
    for id in "${ids[@]}"; do
        ended "$id"
    done
    each_ran_once
}

@test "a host whose power is cut says so of the job that ran, and the job is run again" {
    submit 6 'time.sleep(4)'
    until_true busy 3
    victim=$(api '/api/jobs?status=running' | jq -r '[.jobs[] | select(.node_id == 3) | .job_id][0]')
    host kill h3
    until_true condition_of 3 unreachable
    host up h3
    for id in "${ids[@]}"; do
        ended "$id"
    done
    [ "$(history "$victim")" = 'rebooted 3' ]
    [ "$(status_of "$victim" | jq .node_id)" -ne 3 ]
}

@test "a slow and lossy link delays only its own jobs" {
    host slow 64kbit h1
    host loss 10 h1
    submit 6 'pass'
    for id in "${ids[@]}"; do
        ended "$id"
    done
    host fast h1
    host heal h1
}

@test "a link of one kilobyte a second carries a job" {
    host slow 8kbit h1
    submit 3 'pass'
    for id in "${ids[@]}"; do
        ended "$id"
    done
    [[ " ${where[*]} " == *' 1 '* ]]
    condition_of 1 active
    run ! grep 'node 1 is unreachable' "$BATS_FILE_TMPDIR/server.log"
    host fast h1
}

@test "a link with round trips of half the patience is followed, and jobs run behind it" {
    mkfifo life
    host in python3 "$CHECKOUT/service/src/test/cluster/far.py" 2201 h1 1.2 <life 3>&- 4>&- &
    exec 5>life
    printf '[127.0.0.1]:2201 %s\n' "$(host console h1 cat /etc/ssh/ssh_host_ed25519_key.pub)" >>"$BATS_FILE_TMPDIR/known_hosts"
    cluster::settings h2 h3
    printf '  - {id: 1, host: 127.0.0.1, port: 2201, key: %s, known-hosts: %s}\n' "$BATS_FILE_TMPDIR/"{key,known_hosts} >>"$BATS_FILE_TMPDIR/gpuq.yaml"
    cluster::reread
    until_true ip_of 1 127.0.0.1
    until_true condition_of 1 active
    submit 3 'pass'
    for id in "${ids[@]}"; do
        ended "$id"
    done
    [[ " ${where[*]} " == *' 1 '* ]]
    cluster::reload "${NODES[@]}"
    until_true condition_of 1 active
    exec 5>&-
    wait $!
}

@test "a frozen host delays no other, and goes on when it thaws" {
    host freeze h3
    until_true condition_of 3 unreachable
    submit 4 'pass'
    for id in "${ids[@]}"; do
        ended "$id"
    done
    [[ " ${where[*]} " != *' 3 '* ]]
    host thaw h3
}

@test "banners, noise at a slow login, and one session a connection do no harm" {
    host console h2 bash -euc '
        echo "GPUQ 1 serve is what we like best" >/etc/banner
        printf "%s\n" "Banner /etc/banner" "MaxSessions 1" >/etc/ssh/sshd_config.d/strange.conf
        printf "%s\n" "echo welcome to \$HOSTNAME" "printf \"\\033]0;title\\007\"" "read -r -t 1 <> <(:)" "$(<~gpuuser/.bashrc)" >~gpuuser/.bashrc
        systemctl restart ssh
        pkill -u gpuuser sshd'
    until_true condition_of 2 unreachable
    until_true condition_of 2 active
    submit 6 'pass'
    for id in "${ids[@]}"; do
        ended "$id"
    done
    [[ " ${where[*]} " == *' 2 '* ]]
    [ "$(host console h2 sh -c 'ss -Htn state established "( sport = :22 )" | wc -l')" -ge 3 ]
    host console h2 bash -euc 'rm /etc/ssh/sshd_config.d/strange.conf; sed -i 1,3d ~gpuuser/.bashrc; systemctl restart ssh; pkill -u gpuuser sshd'
    until_true condition_of 2 unreachable
}

@test "another spool behind the same address is not taken for the node" {
    # Nothing may begin or end while its spool is away: that would be a failure of the system, and rightly run again.
    submit 6 'while not os.path.exists("/var/tmp/back"): time.sleep(0.1)'
    until_true each_has_begun
    host console h3 bash -euc 'mv /var/spool/gpuq /var/spool/aside; install -d -o gpuuser -g gpuuser -m 750 /var/spool/gpuq; pkill -u gpuuser sshd'
    until_true reason_of 3 'another spool'
    condition_of 3 unreachable
    host console h3 bash -euc 'rm -r /var/spool/gpuq; mv /var/spool/aside /var/spool/gpuq; pkill -u gpuuser sshd || :'
    for name in "${NODES[@]}"; do
        host console "$name" touch /var/tmp/back
    done
    for id in "${ids[@]}"; do
        ended "$id"
    done
    each_ran_once
}

@test "a host with another key is refused with the reason, and taken when that key is pinned" {
    host console h1 bash -euc 'cd /etc/ssh && mkdir aside && mv ssh_host_ed25519_key* aside && ssh-keygen -q -t ed25519 -N "" -f ssh_host_ed25519_key; systemctl restart ssh; pkill -u gpuuser sshd || :'
    until_true condition_of 1 unreachable
    until_true reason_of 1 'key'
    cluster::know
    until_true condition_of 1 active
    host console h1 bash -euc 'cd /etc/ssh && mv aside/* . && rmdir aside; systemctl restart ssh; pkill -u gpuuser sshd || :'
    until_true condition_of 1 unreachable
    cluster::know
}

@test "a server that is killed takes up every job where it left it" {
    submit 6 'time.sleep(2)'
    cluster::kill
    cluster::serve
    for id in "${ids[@]}"; do
        ended "$id"
    done
    each_ran_once
}

@test "a job that breaks its node stops doing so after three, each another" {
    submit 1 'os.kill(os.getppid(), 9)'
    ended "${ids[0]}" failed
    [ "$(jq -r .reason status)" = grader_failed ]
    [ "$(jq -r '[.attempts[].node_id, .node_id] | unique | length' status)" -eq 3 ]
    [ "$(jq -r '.attempts | length' status)" -eq 2 ]
}

@test "an operator's job is seen, counts, and can be cancelled by an administrator" {
    on h2 'printf "sleep 60\n" >job.sh; gpuq submit --script job.sh' >id
    until_true runs 2 1
    run -0 api '/api/jobs?user_id=operator'
    [ "$(jq -c '.jobs[] | [.job_id, .status, .node_id, .competition_id]' <<<"$output")" = "[\"$(<id)\",\"running\",2,null]" ]
    [ "$(node 2 .queue_length)" -eq 1 ]
    submit 2 'time.sleep(1)'
    run -0 tell "/api/cancel/$(<id)"
    [ "$(jq -r .status <<<"$output")" = cancelled ]
    run -0 on h2 "gpuq status --json $(<id) | jq -r .outcome"
    [ "$output" = cancelled ]
    on h2 'printf "exit 3\n" >job.sh; gpuq submit --script job.sh' >id
    until_true has_ended "$(<id)"
    [ "$(status_of "$(<id)" | jq -c '[.status, .reason, .exit_code]')" = '["failed","script_failed",3]' ]
    for id in "${ids[@]}"; do
        ended "$id"
    done
    [[ " ${where[*]} " != *' 2 2 '* ]]
}

@test "a node that would fail jobs gets none, says why, and comes back by itself" {
    host console h1 mv /opt/gpuq/node-scripts/grade_code.py /root
    until_true condition_of 1 unhealthy
    reason_of 1 'template: the grader'
    submit 4 'pass'
    for id in "${ids[@]}"; do
        ended "$id"
    done
    [[ " ${where[*]} " != *' 1 '* ]]
    host console h1 mv /root/grade_code.py /opt/gpuq/node-scripts/
    until_true condition_of 1 active
}

@test "what waits on a drained node moves on, and back to idle nodes after a resume" {
    tell '/api/nodes/2/drain?reason=a%20new%20fan' >told
    [ "$(jq -r '[.status, .reason] | join(": ")' told)" = 'drained: a new fan' ]
    tell /api/nodes/3/drain >told
    [ "$(jq -r .reason told)" = 'by boss' ]
    run -0 on h3 'gpuq info --json | jq -r .drain'
    [ "$output" = 'by boss' ]
    submit 6 'time.sleep(5)'
    until_true busy 1
    tell /api/nodes/2/resume
    on h3 'gpuq resume'
    for id in "${ids[@]}"; do
        ended "$id"
    done
    each_ran_once
    [ "$(printf '%s\n' "${where[@]}" | sort -u | paste -sd,)" = 1,2,3 ]
    [ "$(for id in "${ids[@]}"; do history "$id"; done | grep -cx 'moved 1')" -eq 4 ]
}

@test "a drain gives what waits to the others, and lets what runs go on" {
    submit 9 'time.sleep(3)'
    until_true busy 1
    tell /api/nodes/1/drain
    condition_of 1 draining
    for id in "${ids[@]}"; do
        ended "$id"
    done
    each_ran_once
    [ "$(printf '%s\n' "${where[@]}" | grep -cx 1)" -eq 2 ]
    condition_of 1 drained
    tell /api/nodes/1/resume
}

@test "the jobs of a node that is given up run elsewhere, and it ends the old ones before it gets work" {
    host console h1 touch /var/tmp/quick
    host console h3 touch /var/tmp/quick
    submit 6 'time.sleep(1 if os.path.exists("/var/tmp/quick") else 600)'
    until_true busy 2
    run -22 tell /api/nodes/2/lost
    [[ $output == *'node 2 answers'* ]]
    host cut h2
    until_true condition_of 2 unreachable
    mapfile -t moved < <(api '/api/jobs?status=running' | jq -r '.jobs[] | select(.node_id == 2) | .job_id')
    [ "${#moved[@]}" -eq 2 ]
    tell '/api/nodes/2/lost?reason=burnt'
    condition_of 2 lost
    reason_of 2 'given up: burnt'
    cluster::kill
    cluster::serve
    condition_of 2 lost
    host heal h2
    until_true condition_of 2 active
    for id in "${moved[@]}"; do
        run -1 host console h2 pgrep -f "$id"
    done
    for id in "${ids[@]}"; do
        ended "$id"
    done
    for id in "${moved[@]}"; do
        [ "$(history "$id")" = 'node_lost 2' ]
        run -0 on h2 "gpuq status --json $id.1 | jq -r .outcome"
        [ "$output" = cancelled ]
    done
}

@test "nodes come and go while the server runs, and the jobs of one that went stay known" {
    submit 6 'time.sleep(3)'
    until_true busy 3
    id=$(api '/api/jobs?status=running' | jq -r '[.jobs[] | select(.node_id == 3) | .job_id][0]')
    cluster::reload h1 h2
    until_true known_nodes '[1,2]'
    [ "$(status_of "$id" | jq -r .status)" = running ]
    printf 'nodes: [{id: x}]\n' >"$BATS_FILE_TMPDIR/gpuq.yaml"
    cluster::reread
    until_true grep -q '^ *nodes.0.id: .x. is not a whole number' "$BATS_FILE_TMPDIR/server.log"
    known_nodes '[1,2]'
    cluster::reload h1 h2 h3
    until_true condition_of 3 active
    for id in "${ids[@]}"; do
        ended "$id"
    done
    each_ran_once
}

@test "a storm of faults loses nothing, ends everything, and runs nothing twice that was not failed by it" {
    RANDOM=$((SEED % 32768))
    local n deed name
    for ((n = 0; n < STORM; n++)); do
        stormy "$n" "$((RANDOM % 3))"
        name=h$((1 + RANDOM % 3)) deed=${DEEDS[RANDOM % ${#DEEDS[@]}]}
        echo "$n $deed $name" >>deeds
        "deed::$deed" "$name"
    done
    for name in "${NODES[@]}"; do
        until_true on "$name" 'gpuq resume'
    done
    for id in "${ids[@]}"; do
        ended "$id"
    done
    the_history_is_sound
}
