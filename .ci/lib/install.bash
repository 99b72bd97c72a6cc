# Installs what a part of the tests needs, by package name, and only what is not there. Needs strict.bash.

# What to call a thing is what to look for: a command, python3-… for a module of the system's Python, ….so.N for a library.
declare -rA INSTALL_PACKAGE=(
    [bats]=bats [curl]=curl [ip]=iproute2 [jq]=jq [mvn]=maven [node]=nodejs [npm]=npm [python3]=python3
    [python3-requests]=python3-requests [shellcheck]=shellcheck [chromium]=chromium [tsp]=task-spooler
    [strace]=strace [unshare]=util-linux [mmdebstrap]=mmdebstrap [systemd-nspawn]=systemd-container [nft]=nftables
    [tc]=iproute2 [ssh]=openssh-client [sshd]=openssh-server [mandoc]=mandoc [col]=bsdextrautils [mkfs.ext4]=e2fsprogs
    [python3-fusepy]=python3-fusepy [cc]=build-essential [unzip]=unzip [libaio.so.1]=libaio1
    [ansible-playbook]=ansible-core [ansible-lint]=ansible-lint
    [slurmctld]=slurmctld [slurmd]=slurmd [srun]=slurm-client [munged]=munge
)

install::has() {
    case $1 in
        python3-*) /usr/bin/python3 -c "import ${1#python3-}" 2>/dev/null ;;
        *.so.*) ldconfig -p | grep -qF "$1 " ;;
        *) type -P "$1" >/dev/null ;;
    esac
}

# install::all THING…: makes sure that all are there. Without root it can only say what is missing.
install::all() {
    local thing
    local -a packages=()
    for thing in "$@"; do
        install::has "$thing" || packages+=("${INSTALL_PACKAGE[$thing]}")
    done
    ((${#packages[@]} > 0)) || return 0
    ((EUID == 0)) || die "please install ${packages[*]} (as root this script does it by itself)."
    say installing "${packages[*]}"
    install::apt "${packages[@]}" || die "installing ${packages[*]} failed."
}

# install::apt PACKAGE…: quiet unless it fails.
install::apt() {
    local log
    log=$(mktemp)
    if ! { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@"; } \
        </dev/null >"$log" 2>&1; then
        tail -n 20 -- "$log" >&2
        rm -f -- "$log"
        return 1
    fi
    rm -f -- "$log"
}
