# Packages of Debian's unstable suite, as files; nothing of them is installed. Needs strict.bash and image.bash.

# unstable::fetch FOLDER PACKAGE…: these and all that they need, as on a machine that has nothing yet.
unstable::fetch() {
    unstable::apt "$1" --no-install-recommends --download-only install "${@:2}"
    mv -- "$1"/.apt/cache/archives/*.deb "$1"
    rm -rf -- "$1/.apt"
}

# unstable::fetch_only FOLDER PACKAGE…: these alone.
unstable::fetch_only() {
    unstable::apt "$1" download "${@:2}"
    rm -rf -- "$1/.apt"
}

# unstable::apt FOLDER WORD…: apt-get in FOLDER, with lists and caches of its own there.
unstable::apt() {
    local -r apt=$1/.apt log=$1/.log
    shift
    mkdir -p -- "$apt/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/status"
    printf 'deb %s sid main\n' "$(image::mirror)" >"$apt/sources.list"
    local -ar own=(-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$apt/lists"
        -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1
        -o Acquire::Languages=none)
    (cd -- "${apt%/.apt}" && apt-get -qq "${own[@]}" update && apt-get -qq -y "${own[@]}" "$@") </dev/null >"$log" 2>&1 || {
        tail -n 20 -- "$log" >&2
        die "apt-get $* failed."
    }
    rm -f -- "$log"
}
