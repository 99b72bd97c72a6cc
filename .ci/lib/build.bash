# Builds the server when its sources have changed since the last build, and trains its start-up cache.
# Needs strict.bash, server.bash, and JDK.

readonly BUILD_TARGET=$ROOT/service/target
readonly BUILD_STAMP=$BUILD_TARGET/gpuq-build.sha256

# build::fingerprint: one line that changes with every file the server is made of.
build::fingerprint() (
    cd -- "$ROOT" || exit
    find pom.xml service/pom.xml service/jvm.args service/src/main "$JDK/release" -type f -print0 |
        sort -z | xargs -0 sha256sum | sha256sum
)

build::is_fresh() {
    [[ -r $SERVER_JAR && -r $BUILD_STAMP && $(<"$BUILD_STAMP") == "$(build::fingerprint)" ]]
}

# build::ensure: builds if need be. Two at once take turns, and the second finds it done.
build::ensure() {
    local turn
    build::is_fresh && return
    need mvn
    claim "$BUILD_TARGET/.turn" || die "cannot build: $BUILD_TARGET is not writable."
    exec {turn}<"$BUILD_TARGET/.turn"
    flock "$turn"
    build::is_fresh || build::run
    exec {turn}<&-
}

build::run() {
    local -r began=${EPOCHREALTIME/./}
    local fingerprint
    fingerprint=$(build::fingerprint)
    rm -f -- "$BUILD_STAMP" "$SERVER_CACHE"
    say building "the server with Maven, once: about a minute"
    build::package
    build::train || say building "without a start-up cache, so starts take a second longer (see $BUILD_TARGET/training.log)"
    printf '%s\n' "$fingerprint" >"$BUILD_STAMP"
    say built "in $(seconds_since "$began")"
}

# build::package: quiet unless it fails.
build::package() {
    local -r log=$BUILD_TARGET/build.log
    (cd -- "$ROOT" && JAVA_HOME=$JDK mvn -q -B -Dmaven.test.skip=true package) >"$log" 2>&1 && return
    tail -n 40 -- "$log" >&2
    die "the build failed; all of its output is in $log."
}

# build::train: serves the example once and lets the JVM write down what it loaded. A JVM takes the cache only if it fits.
build::train() (
    local data port
    data=$(mktemp -d)
    trap 'server::stop; cp -- "$data/server.log" "$BUILD_TARGET/training.log"; rm -rf -- "$data"' EXIT
    port=$(server::free_port)
    server::configure "$data" "$port" 1
    server::start "$data" "-XX:AOTCacheOutput=$data/cache"
    server::ready "$port" || exit 1
    cd -- "$ROOT/examples" || exit
    curl --noproxy '*' -sf -o /dev/null --max-time 60 -F code=@solution.py -F config_file=@config.yaml \
        "http://127.0.0.1:$port/api/submit" || exit 1
    server::stop 300 # now it writes
    mv -- "$data/cache" "$SERVER_CACHE"
)
