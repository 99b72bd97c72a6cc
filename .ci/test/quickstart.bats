#!/usr/bin/env bats
# What keeps the quick start from starting is said in one sentence, before anything is built.

setup() {
    cd "$BATS_TEST_TMPDIR"
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)
}

# refused STATUS WORDS: it ended with STATUS and one line that holds WORDS.
refused() {
    echo "$status: $output"
    [ "$status" -eq "$1" ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"$2"* ]]
}

@test "--help says what it does and does nothing" {
    run "$ROOT/quickstart" --help
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "Usage: quickstart"* ]]
}

@test "an unknown argument is refused" {
    run "$ROOT/quickstart" --fast
    refused 64 "unknown argument --fast"
}

@test "a port must be one" {
    run "$ROOT/quickstart" --port 70000
    refused 64 "--port is a number from 1 to 65535"
    run "$ROOT/quickstart" --port
    refused 64 "--port needs a value"
}

@test "there must be a node" {
    run "$ROOT/quickstart" --nodes 0
    refused 64 "--nodes is a number"
}

@test "a folder that cannot be written to is refused" {
    : >file
    run "$ROOT/quickstart" --data file/data
    refused 1 "cannot write to file/data: choose another folder"
}

@test "a folder that another quick start works in is refused" {
    mkdir data
    exec 9>data/.lock
    flock 9
    run "$ROOT/quickstart" --data data 9>&-
    refused 1 "another quickstart works in $PWD/data"
}

@test "a port that is taken is refused" {
    python3 -c 'import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
time.sleep(60)' >port &
    local -r listener=$!
    until [ -s port ]; do sleep 0.02; done
    run "$ROOT/quickstart" --data data --port "$(<port)"
    kill "$listener"
    refused 1 "port $(<port) is taken"
}

@test "a missing JDK is refused" {
    mkdir bin
    for tool in curl python3 flock setsid bash env sed readlink; do ln -s "$(type -P "$tool")" "bin/$tool"; done
    run env -u JAVA_HOME PATH="$PWD/bin" JVM_DIRECTORY="$PWD" "$ROOT/quickstart" --data data
    refused 1 "no JDK 25 or newer"
}

@test "missing commands are named together" {
    mkdir bin
    for tool in bash env; do ln -s "$(type -P "$tool")" "bin/$tool"; done
    run env PATH="$PWD/bin" "$ROOT/quickstart" --data data
    refused 1 "please install curl python3 flock setsid"
}
