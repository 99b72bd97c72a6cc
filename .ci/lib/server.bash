# One server with its local nodes in one data directory: configure, start, wait until it is ready, stop.
# Needs strict.bash, and JDK set to the home of a JDK. A bench may set TEMPLATES and NODE_SLOTS.

readonly SERVER_JAR=$ROOT/service/target/gpuq-server.jar
readonly SERVER_CACHE=$ROOT/service/target/gpuq-server.aot
SERVER_PID=

# server::yaml TEXT: TEXT as a double-quoted YAML string.
server::yaml() {
    local text=$1
    text=${text//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

# server::listens PORT: somebody answers on it.
server::listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# server::free_port: prints a port that nobody listens on.
server::free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); do
        server::listens "$port" || break
    done
    printf '%s\n' "$port"
}

# server::configure DATA PORT NODES: writes the settings of a server with NODES local nodes of one slot each.
server::configure() {
    local -r data=$1 port=$2 nodes=$3
    local id
    mkdir -p -- "$data"
    {
        printf 'mode: demonstration\n'
        printf 'server: {host: 127.0.0.1, port: %d}\n' "$port"
        printf 'data-directory: %s\n' "$(server::yaml "$data")"
        printf 'templates: %s\n' "$(server::yaml "${TEMPLATES:-$ROOT/templates}")"
        printf 'nodes:\n'
        for ((id = 0; id < nodes; id++)); do
            server::configure_node "$data/node-$id"
            printf '  - {id: %d, local: {command: %s, config: %s}}\n' "$id" \
                "$(server::yaml "$ROOT/node-scripts/bin/gpuq")" "$(server::yaml "$data/node-$id/gpuq.conf")"
        done
    } >"$data/.gpuq.yaml"
    mv -T -- "$data/.gpuq.yaml" "$data/gpuq.yaml"
}

# server::configure_node DIRECTORY: the settings of one local node; its spool lies beside them.
server::configure_node() {
    local -r directory=$1
    mkdir -p -- "$directory"
    printf '%s\n' \
        "GPUQ_SPOOL=$directory/spool" \
        "GPUQ_SLOTS=${NODE_SLOTS:-1}" \
        "GPUQ_TEMPLATE=process" \
        "GPUQ_DISK_FREE=0" \
        "GPUQ_TEMPLATES=${TEMPLATES:-$ROOT/templates}/launch" \
        "GPUQ_DATA_DIR=$ROOT/examples/data" >"$directory/.gpuq.conf"
    mv -T -- "$directory/.gpuq.conf" "$directory/gpuq.conf"
}

# server::start DATA [JVM-OPTION…]: starts it in a session of its own, so that Ctrl-C reaches only whoever started it.
# It inherits every open descriptor; its children do not (the JVM closes them).
server::start() {
    local -r data=$1
    shift
    JAVA_HOME=$JDK env --default-signal=INT,QUIT setsid "$ROOT/service/bin/gpuq-server" "${@/#/-J}" \
        --config "$data/gpuq.yaml" </dev/null >>"$data/server.log" 2>&1 &
    SERVER_PID=$!
}

# server::ready PORT: waits until it answers; fails when it has ended or is silent for half a minute.
server::ready() {
    local -r url=http://127.0.0.1:$1/health
    local -r until=$((SECONDS + 30))
    until curl --noproxy '*' -sf -o /dev/null --max-time 2 "$url"; do
        ((SECONDS < until)) && kill -0 "$SERVER_PID" 2>/dev/null || return 1
        sleep 0.02
    done
}

# server::stop [SECONDS]: asks it to end and waits until it has; after so long (30) it is killed.
server::stop() {
    local -r until=$((SECONDS + ${1:-30}))
    [[ -n $SERVER_PID ]] || return 0
    kill -TERM "$SERVER_PID" 2>/dev/null || true
    while kill -0 "$SERVER_PID" 2>/dev/null; do
        ((SECONDS < until)) || kill -KILL "$SERVER_PID"
        sleep 0.05
    done
    wait "$SERVER_PID" 2>/dev/null || true
    SERVER_PID=
}
