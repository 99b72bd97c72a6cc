#!/usr/bin/env bats
# The JDK is found where it is, in the order that the README promises.

setup() {
    cd "$BATS_TEST_TMPDIR"
    export JVM_DIRECTORY=$PWD/jvm
    unset JAVA_HOME
    mkdir jvm
    ROOT=$BATS_TEST_DIRNAME/../..
}

# a_jdk DIRECTORY RELEASE: what can be seen of a JDK without starting it.
a_jdk() {
    mkdir -p "$1/bin"
    printf 'IMPLEMENTOR="a test"\nJAVA_VERSION="%s"\n' "$2" >"$1/release"
    printf '#!/bin/sh\n' | tee "$1/bin/java" >"$1/bin/javac"
    chmod +x "$1/bin/java" "$1/bin/javac"
}

# find PATH-PREFIX: what jdk::find says with that before PATH, or what it complains about.
find() {
    # shellcheck disable=SC2016 # the inner bash expands it
    run env PATH="$1:/usr/bin:/bin" bash -c 'source "$0/.ci/lib/strict.bash"; source "$0/service/lib/jdk.bash"
        type() { builtin type "$@" | grep -v ^/usr/bin/ | grep -v ^/bin/ || true; }; jdk::find' "$ROOT"
}

@test "JAVA_HOME comes first" {
    a_jdk home 25.0.1
    a_jdk path 25.0.2
    a_jdk jvm/x 26
    export JAVA_HOME=$PWD/home
    find "$PWD/path/bin"
    [ "$output" = "$PWD/home" ]
}

@test "a JAVA_HOME that is too old is passed over for PATH" {
    a_jdk home 17.0.15
    a_jdk path 25
    a_jdk jvm/x 26
    export JAVA_HOME=$PWD/home
    find "$PWD/path/bin"
    [ "$output" = "$PWD/path" ]
}

@test "a link in PATH is followed to its JDK" {
    a_jdk "jdk 25" 25.0.1
    mkdir links
    ln -s "$PWD/jdk 25/bin/javac" links/javac
    find "$PWD/links"
    [ "$output" = "$PWD/jdk 25" ]
}

@test "the usual directory comes last" {
    a_jdk jvm/java-17 17.0.1
    a_jdk jvm/java-25 25.0.1
    find "$PWD/nowhere"
    [ "$output" = "$PWD/jvm/java-25" ]
}

@test "a runtime without a compiler is no JDK" {
    a_jdk jvm/jre 25.0.1
    rm jvm/jre/bin/javac
    find "$PWD/nowhere"
    [ "$status" -ne 0 ]
}

@test "without a JDK one sentence says what to do" {
    find "$PWD/nowhere"
    [ "$status" -ne 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"no JDK 25 or newer"*"set JAVA_HOME"* ]]
}
