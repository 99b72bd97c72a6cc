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
    cluster::settings
    cluster::serve
}

teardown_file() {
    end_bed
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    until_true all_active
}

teardown() {
    [[ ${BATS_TEST_COMPLETED:-} ]] || {
        api /api/nodes
        tail -n 60 "$BATS_FILE_TMPDIR/server.log"
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
    submit 3 'time.sleep(4)'
    until_true running_on 3
    host kill h3
    until_true condition_of 3 unreachable
    host up h3
    for id in "${ids[@]}"; do
        ended "$id"
    done
    run -0 host run --user gpuuser h3 gpuq list
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

@test "a host with another key is refused with the reason, and taken when that key is pinned" {
    host console h1 bash -euc 'cd /etc/ssh && mkdir aside && mv ssh_host_ed25519_key* aside && ssh-keygen -q -t ed25519 -N "" -f ssh_host_ed25519_key; systemctl restart ssh; pkill -u gpuuser sshd || :'
    until_true condition_of 1 unreachable
    until_true reason_of 1 'key'
    cluster::know
    until_true condition_of 1 active
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
