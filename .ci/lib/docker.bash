# A Docker engine of one's own: with its data, its socket and its bridge, and without a rule in anybody's firewall. It goes away with who started it.
# Needs strict.bash and install.bash.

readonly DOCKER_BRIDGE=gpuq-test
DOCKER_PID=

# docker::start FOLDER: starts one there. Sets DOCKER_HOST, or fails with DOCKER_WHY_NOT.
docker::start() {
    local -r folder=$1
    local -r until=$((SECONDS + 20))
    ((EUID == 0)) || docker::not "that takes root" || return
    install::has dockerd || { say installing docker.io && install::apt docker.io; } || docker::not "docker.io cannot be installed" || return
    mkdir -p -- "$folder"
    docker::bridge >"$folder/log" 2>&1 || docker::not "no bridge can be made" || return
    dockerd --data-root "$folder/data" --exec-root "$folder/run" --pidfile "$folder/pid" --host "unix://$folder/socket" --bridge "$DOCKER_BRIDGE" \
        --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false </dev/null >>"$folder/log" 2>&1 &
    DOCKER_PID=$!
    until docker::ask "$folder" GET _ping >/dev/null 2>&1; do
        if ((SECONDS >= until)) || ! kill -0 "$DOCKER_PID" 2>/dev/null; then
            tail -n 5 -- "$folder/log" >&2
            docker::stop
            docker::not "it does not answer" || return
        fi
        sleep 0.05
    done
    export DOCKER_HOST=unix://$folder/socket
}

# docker::not WHY
docker::not() {
    DOCKER_WHY_NOT=$1
    return 1
}

docker::bridge() {
    ip link show "$DOCKER_BRIDGE" || ip link add "$DOCKER_BRIDGE" type bridge
    ip address replace 172.31.255.1/24 dev "$DOCKER_BRIDGE"
    ip link set "$DOCKER_BRIDGE" up
}

# docker::ask FOLDER METHOD PATH [CURL-OPTION…]
docker::ask() {
    local -r folder=$1 method=$2 path=$3
    shift 3
    curl -sS --fail-with-body --unix-socket "$folder/socket" -X "$method" "$@" "http://docker/$path"
}

# docker::import FOLDER NAME ROOT: an image from a file system; /entrypoint in it is what it runs.
docker::import() {
    local -r folder=$1 name=$2 root=$3
    tar -C "$root" -c . | docker::ask "$folder" POST "images/create?fromSrc=-&repo=$name&tag=latest&changes=ENTRYPOINT%20%5B%22/entrypoint%22%5D" \
        -H 'Content-Type: application/x-tar' -T - >"$folder/import" || die "the image $name cannot be made: $(<"$folder/import")"
}

docker::stop() {
    [[ $DOCKER_PID ]] || return 0
    kill -TERM "$DOCKER_PID" 2>/dev/null || true
    wait "$DOCKER_PID" 2>/dev/null || true
    DOCKER_PID=
    ip link delete "$DOCKER_BRIDGE" 2>/dev/null || true
}
