#!/usr/bin/env bats
# The start script of the server, before there is a JVM.

setup() {
    cd "$BATS_TEST_TMPDIR"
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)
    export JVM_DIRECTORY=$PWD/jvm
    mkdir -p "a place/target" "a place/bin" jvm/jdk/bin
    cp -r "$ROOT/service/lib" "$ROOT/service/jvm.args" "a place/"
    cp "$ROOT/service/bin/gpuq-server" "a place/bin/"
    printf 'JAVA_VERSION="25"\n' >jvm/jdk/release
    printf '#!/bin/sh\necho $$\nprintf "%%s\\n" "$@"\n' | tee jvm/jdk/bin/javac >jvm/jdk/bin/java
    chmod +x jvm/jdk/bin/*
    export JAVA_HOME=$PWD/jvm/jdk
}

@test "--help says what it can, without a JDK" {
    JAVA_HOME='' JVM_DIRECTORY=$PWD/nowhere run "a place/bin/gpuq-server" user --help
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "Usage: gpuq-server"* && $output == *"user revoke ID"* && $output != *inherit_errexit* ]]
}

@test "what is not built or installed is one sentence" {
    run "a place/bin/gpuq-server" --config x
    echo "$output"
    [ "$status" -eq 69 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"there is no $PWD/a place/target/gpuq-server.jar"* ]]
}

@test "it becomes the JVM, with what lies beside it, also through a link" {
    : >"a place/target/gpuq-server.jar"
    ln -s "a place/bin/gpuq-server" linked
    ./linked --config "a file" -J-Xmx1g user add "" >printed &
    local -r process=$!
    wait "$process"
    run diff printed - <<END2
$process
@$PWD/a place/jvm.args
-Xmx1g
-jar
$PWD/a place/target/gpuq-server.jar
--config
a file
user
add

END2
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "a start-up cache is used where there is one" {
    : >"a place/target/gpuq-server.jar"
    : >"a place/target/gpuq-server.aot"
    run "a place/bin/gpuq-server" --config x
    [[ $output == *"-XX:AOTCache=$PWD/a place/target/gpuq-server.aot"* ]]
}
