# Three hosts as nodes, and a server that reaches them by SSH; all on one bed. `load` it after the bed.
# shellcheck shell=bash

SERVER=http://127.0.0.1:8001
NODES=(h1 h2 h3)
FAULTS=$CHECKOUT/service/src/test/faults
SEED=${GPUQ_TEST_SEED:-$SRANDOM}
STORM=20
[[ ${GPUQ_TEST_SIZE:-quick} == quick ]] || STORM=200

# cluster::nodes: hosts that are nodes as the documentation says: a user, the scripts, a spool, a key that is good for two verbs.
cluster::nodes() {
    local name
    ssh-keygen -q -t ed25519 -N '' -f "$BATS_FILE_TMPDIR/key"
    host up "${NODES[@]}"
    for name in "${NODES[@]}"; do
        cluster::node "$name"
    done
    cluster::know
}

cluster::node() { # HOST
    a_user "$1" gpuuser
    host put "$1" "$CHECKOUT/node-scripts" "$CHECKOUT/templates" "$CHECKOUT/examples" /opt/gpuq/
    # shellcheck disable=SC2016 # the host expands it
    host console "$1" bash -euc '
        umask 022
        chmod -R a+rX /opt/gpuq
        ln -s /opt/gpuq/node-scripts/bin/gpuq /usr/local/bin/gpuq
        install -d -o gpuuser -g gpuuser -m 750 /var/spool/gpuq
        mkdir -p /etc/gpuq
        printf "GPUQ_%s\n" SLOTS=2 TEMPLATE=process GRACE=1 DISK_FREE=0 DATA_DIR=/opt/gpuq/examples/data >/etc/gpuq/gpuq.conf
        install -d -o gpuuser -g gpuuser -m 700 ~gpuuser/.ssh
        printf "command=\"/opt/gpuq/node-scripts/bin/gpuq allow serve watch\",restrict %s\n" "$0" >~gpuuser/.ssh/authorized_keys
        chown gpuuser: ~gpuuser/.ssh/authorized_keys
    ' "$(<"$BATS_FILE_TMPDIR/key.pub")"
}

# cluster::know: pins the keys that the hosts have now.
cluster::know() {
    local name
    for name in "${NODES[@]}"; do
        printf '%s %s\n' "$(address "$name")" "$(host console "$name" cat /etc/ssh/ssh_host_ed25519_key.pub)"
    done >"$BATS_FILE_TMPDIR/known_hosts"
}

address() { # HOST
    host console "$1" sh -c 'hostname -I' | tr -d ' \n'
}

# cluster::settings HOST…: the server's, with these nodes.
cluster::settings() {
    local name
    {
        printf '%s\n' 'mode: demonstration' 'server: {port: 8001}' "data-directory: $BATS_FILE_TMPDIR/data" \
            "templates: $CHECKOUT/templates" 'node: {heartbeat: PT1S, patience: PT5S, checkup: PT1S}' 'nodes:'
        for name in "$@"; do
            printf '  - {id: %d, host: %s, key: %s, known-hosts: %s}\n' "${name#h}" "$(address "$name")" \
                "$BATS_FILE_TMPDIR/key" "$BATS_FILE_TMPDIR/known_hosts"
        done
    } >"$BATS_FILE_TMPDIR/gpuq.yaml"
}

# cluster::administrator: makes one, while the server is not there. His token is in $BATS_FILE_TMPDIR/token.
cluster::administrator() {
    cluster::server user add boss --admin >"$BATS_FILE_TMPDIR/token"
}

# cluster::server WORD…: runs the server's command in the bed.
cluster::server() {
    host in "$CHECKOUT/service/bin/gpuq-server" --config "$BATS_FILE_TMPDIR/gpuq.yaml" "$@"
}

# cluster::serve: starts the server in the bed, and waits until it answers. Its process is in $BATS_FILE_TMPDIR/server.
cluster::serve() {
    # shellcheck disable=SC2016 # the bed expands it
    host in bash -c 'echo $$ >"$0"; exec "$@"' "$BATS_FILE_TMPDIR/server" \
        "$CHECKOUT/service/bin/gpuq-server" --config "$BATS_FILE_TMPDIR/gpuq.yaml" </dev/null >>"$BATS_FILE_TMPDIR/server.log" 2>&1 3>&- 4>&- &
    until_true api /health
}

# cluster::kill: ends it as a power cut would.
cluster::kill() {
    host in kill -KILL "$(<"$BATS_FILE_TMPDIR/server")"
}

# cluster::reload HOST…: lets it read its nodes anew, and these are all.
cluster::reload() {
    cluster::settings "$@"
    cluster::reread
}

cluster::reread() {
    host in kill -HUP "$(<"$BATS_FILE_TMPDIR/server")"
}

api() { # PATH [CURL-WORD…]
    host in curl -sS --fail-with-body --max-time 100 -o - "$SERVER$1" "${@:2}"
}

# tell PATH: as the administrator.
tell() {
    api "$1" -X POST -H "Authorization: Bearer $(<"$BATS_FILE_TMPDIR/token")"
}

# submit COUNT STATEMENT: so many jobs, at once; their ids in `ids`. Each leaves its mark on its host, then does that, and is graded.
submit() {
    local -i i
    ids=() where=()
    for ((i = 0; i < $1; i++)); do
        submit_one "$i" "$2"
    done
}

submit_one() { # NUMBER STATEMENT
    sed "s/my_project/$BATS_TEST_NUMBER-$1-$SEED/" "$CHECKOUT/examples/config.yaml" >config.yaml
    printf '%s\n' 'import os, shutil, time' "open('/var/tmp/ran', 'a').write('$BATS_TEST_NUMBER.$1\\n')" "$2" \
        'shutil.copy("data/sampleSubmission.csv", "submission.csv")' >solution.py
    until_true accepted "$BATS_TEST_NUMBER-$1-$SEED"
    ids+=("$(<accepted)")
}

accepted() { # KEY: the id is in `accepted`; again does no harm
    api '/api/submit?wait=false' -F code=@solution.py -F config_file=@config.yaml -H "Idempotency-Key: $1" | jq -er .job_id >accepted
}

# on HOST TEXT: a bash script, as the user whose node it is.
on() {
    host run --user gpuuser "$1" bash -euc "$2"
}

status_of() { # ID
    api "/api/status/$1"
}

# ended ID [STATUS]: waits until it has ended, completed unless said otherwise; where it did is added to `where`.
ended() {
    until_true has_ended "$1"
    status_of "$1" >status
    [ "$(jq -r .status status)" = "${2:-completed}" ] || {
        cat status
        return 1
    }
    where+=("$(jq -r .node_id status)")
}

has_ended() { # ID
    [[ $(status_of "$1" | jq -r .completed_at) != null ]]
}

# node NUMBER [FILTER]: what /api/nodes says of it.
node() {
    api /api/nodes | jq -er ".nodes[] | select(.node_id == $1) | ${2:-.}"
}

condition_of() { # NUMBER STATUS
    [[ $(node "$1" .status) == "$2" ]]
}

ip_of() { # NUMBER ADDRESS
    [[ $(node "$1" .ip) == "$2" ]]
}

reason_of() { # NUMBER WORD: the reason holds it
    [[ $(node "$1" .reason) == *"$2"* ]]
}

all_active() {
    [[ $(api /api/nodes | jq -c '[.nodes[].status] | unique') == '["active"]' ]]
}

runs() { # NUMBER COUNT: so many jobs run there
    (($(node "$1" .running) == $2))
}

known_nodes() { # JSON: these are they
    [[ $(api /api/nodes | jq -c '[.nodes[].node_id]') == "$1" ]]
}

busy() { # NUMBER: all of its slots are taken
    (($(node "$1" '.slots - .running') == 0))
}

# history ID: how its earlier attempts ended, such as `rebooted 3`.
history() {
    status_of "$1" | jq -r '.attempts // [] | map("\(.reason) \(.node_id)") | join(", ")'
}

# deed::… HOST: what a storm does to it, and mends. What is told to nodes that do not hear it is not told.
DEEDS=(nothing nothing cut freeze power kill_server drain resume operator)
deed::nothing() { :; }
deed::cut() { host cut "$1" && until_true condition_of "${1#h}" unreachable && host heal "$1"; }
deed::freeze() { host freeze "$1" && until_true condition_of "${1#h}" unreachable && host thaw "$1"; }
deed::power() { host kill "$1" && host up "$1"; }
deed::kill_server() { cluster::kill && cluster::serve; }
deed::drain() { [[ $1 == h3 ]] || tell "/api/nodes/${1#h}/drain" || :; } # with all drained no submit would be accepted
deed::resume() { tell "/api/nodes/${1#h}/resume" || :; }
# shellcheck disable=SC2016 # the host expands it
deed::operator() { on "$1" 'printf "read -r -t 1 <> <(:)\n" >job.sh; gpuq submit --script job.sh --name "operator-$SRANDOM"' || :; }

# stormy NUMBER SECONDS: submits one whose runs and whose acknowledgement are in the history of the storm.
stormy() {
    local -r token=$BATS_TEST_NUMBER-$1-$SEED before=${EPOCHREALTIME/./}
    submit_one "$1" "$(python3 "$FAULTS/witness.py" mark /var/tmp "$token" "$2")"
    printf '{"kind": "call", "op": "submit", "server": 0, "sent": %s, "answered": %s, "code": 200, "job": "%s", "token": "%s"}\n' \
        "$before" "${EPOCHREALTIME/./}" "${ids[-1]}" "$token" >>history
}

# the_history_is_sound: of a storm that is over, by the rules of ./test faults. What the tests before it did to their jobs is not in it.
the_history_is_sound() {
    local name
    printf '%s\n' "${ids[@]}" >ours
    printf '{"kind": "storm", "seed": %d, "slots": {"1": 2, "2": 2, "3": 2}}\n' "$SEED" >>history
    for name in "${NODES[@]}"; do
        host console "$name" sh -c 'touch /var/tmp/runs && cat /var/tmp/runs' >said
        python3 "$FAULTS/witness.py" runs said >>history
        host console "$name" python3 - spool /var/spool/gpuq "${name#h}" <"$FAULTS/ends.py" >ends
        grep -F -f ours -e "\"$BATS_TEST_NUMBER-" ends >>history || [[ $? == 1 ]] # none ran there
    done
    host in python3 "$FAULTS/ends.py" servers 8001 >ends
    grep -F -f ours ends >>history
    python3 "$FAULTS/history.py" history
}

# marks: of all solutions that ran on any host, in `ran`.
marks() {
    local name
    for name in "${NODES[@]}"; do
        host console "$name" sh -c 'touch /var/tmp/ran && cat /var/tmp/ran'
    done >ran
}

# each_has_begun: the solutions of what this test has submitted run; nothing of them is being prepared any more.
each_has_begun() {
    marks
    (($(grep -c "^${BATS_TEST_NUMBER}[.]" ran) == ${#ids[@]}))
}

# each_ran_once: of what this test has submitted.
each_ran_once() {
    local i
    marks
    for i in "${!ids[@]}"; do
        [ "$(grep -cx "${BATS_TEST_NUMBER}[.]$i" ran)" -eq 1 ]
    done
}
