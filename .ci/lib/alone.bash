# A place of one's own for whatever starts servers and nodes.

# alone COMMAND…: in a network and a process tree of its own: port 8001 is free there, nothing leaves the machine, and
# nothing is left running. Where that is not allowed: as it is.
alone() {
    local -a own=(unshare --net --pid --fork --kill-child --mount-proc)
    ((EUID == 0)) || own+=(--user --map-root-user)
    if "${own[@]}" true 2>/dev/null; then
        "${own[@]}" bash -c 'ip link set lo up; "$@"; exit $?' alone "$@"
    else
        printf 'no network of its own for this part: it uses that of this machine\n'
        "$@"
    fi
}
