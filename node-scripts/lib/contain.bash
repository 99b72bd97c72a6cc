# Containment: nothing of a job outlives the job, nor its supervisor. Walls, each inside the one before it, as far as this
# machine has them:
#
#   unit        where systemd runs: the supervisor is a transient service of its own, whoever was logged in when it started. Its job
#               lies in a control group below the supervisor's, which the kernel ends as a whole, however it forks
#   namespace   a PID namespace whose init is the launch script. The kernel ends the starter with the supervisor
#               (parent-death signal), the init with the starter (kill-child), everything else with the init. As an ordinary
#               user inside a user namespace
#   group       where the kernel refuses namespaces: a process group. Without a unit `setsid` escapes it; `gpuq info` says so
# shellcheck shell=bash

readonly CONTAIN_GROUPS=/sys/fs/cgroup # version 2 of them

contain::probe() { # what this machine allows, into MACHINE
    contain::namespace
    MACHINE[contain]=group
    ! setpriv --pdeathsig KILL "${CONTAIN_COMMAND[@]}" true </dev/null >/dev/null 2>&1 || MACHINE[contain]=namespace
    contain::probe_units
}

# Who starts units for us: system, user (one whose services outlive his logins), or none.
contain::probe_units() {
    local -a groups=("$CONTAIN_GROUPS"/*/cgroup.kill)
    local -i tries=100
    local user
    MACHINE[units]=none
    [[ -d /run/systemd/system ]] && ((${#groups[@]} > 0)) || return 0
    if ((EUID == 0)); then
        MACHINE[units]=system
    else
        user=$(id -un) && [[ -e /var/lib/systemd/linger/$user ]] || return 0
        until [[ -e /run/user/$EUID/systemd/private ]]; do # after a boot it comes a little later
            ((tries-- > 0)) || return 0
            process::pause 0.1
        done
        MACHINE[units]=user
    fi
    contain::apart "gpuq-probe-$SRANDOM" true
    timeout 20 "${CONTAIN_APART[@]}" </dev/null >/dev/null 2>&1 || MACHINE[units]=none
}

contain::namespace() { # the command that makes one, in CONTAIN_COMMAND
    CONTAIN_COMMAND=(unshare --pid --fork --kill-child=KILL --mount-proc)
    ((EUID == 0)) || CONTAIN_COMMAND+=(--user --map-current-user)
}

# The command that starts COMMAND apart from us, in CONTAIN_APART: in a unit, else in a session of its own.
contain::apart() { # UNIT COMMAND…
    local words
    if [[ ${MACHINE[units]:-none} == none ]]; then
        CONTAIN_APART=(setsid "${@:2}")
        return
    fi
    CONTAIN_APART=(systemd-run)
    [[ ${MACHINE[units]} != user ]] || CONTAIN_APART=(env "XDG_RUNTIME_DIR=/run/user/$EUID" systemd-run --user)
    # Type=exec: what cannot start fails here. The end of the group is ours to see to, so systemd needs no patience with it.
    CONTAIN_APART+=(
        --quiet --collect "--unit=$1" --property=Type=exec --property=Delegate=yes --property=KillSignal=SIGKILL
        --property=OOMPolicy=continue
    )
    read -ra words <<<"$GPUQ_UNIT_PROPERTIES"
    CONTAIN_APART+=("${words[@]/#/--property=}")
    for words in "${CONFIG_PASSES[@]}" "${!GPUQ_@}"; do
        [[ ! -v $words || ${!words@a} != *x* ]] || CONTAIN_APART+=("--setenv=$words")
    done
    set -- "${@:2}"
    CONTAIN_APART+=("${@//\$/\$\$}") # systemd would take it for a variable
}

# The control group that the job gets below ours, in CONTAIN_FENCE; none where we are no unit.
contain::fence() {
    local group
    CONTAIN_FENCE=
    [[ ${MACHINE[units]:-none} != none ]] || return 0
    while IFS= read -r group; do
        [[ $group != 0::*/gpuq-*.service ]] || CONTAIN_FENCE=$CONTAIN_GROUPS${group#0::}/job
    done </proc/self/cgroup
    [[ ! $CONTAIN_FENCE ]] || mkdir -p -- "$CONTAIN_FENCE" 2>/dev/null || CONTAIN_FENCE=
}

# Starts the launch script on its way to where it waits for contain::go: if we are killed before, it never runs.
contain::start() { # HOME NAME=VALUE…: CONTAIN_STARTER is ours to wait for
    local -r home=$1
    local -ra environment=("${@:2}")
    CONTAIN_COMMAND=(setsid)
    contain::fence
    [[ ${MACHINE[contain]} != namespace ]] || contain::namespace
    # shellcheck disable=SC2034  # bash fills CONTAIN_PIPES
    coproc CONTAIN_PIPES {
        cd "$home/work" || exit
        [[ ! $CONTAIN_FENCE ]] || printf '%d\n' "$BASHPID" >"$CONTAIN_FENCE/cgroup.procs" || exit
        # What the starter has to say is for us; the job's stderr waits in 7.
        exec 8<&0 9>&1 </dev/null >>"$home/stdout" 7>>"$home/stderr" 2>>"$home/.new/faults"
        # bash had INT and QUIT ignored since it started us in the background.
        exec env -i --default-signal=INT,QUIT "${environment[@]}" setpriv --pdeathsig KILL "${CONTAIN_COMMAND[@]}" "$BASH" "$GPUQ_ROOT/lib/begin" "${home##*/}"
    }
    CONTAIN_STARTER=$!
    # bash closes its own ends, and forgets them, when it notices the end, be it now; these stay.
    { exec {CONTAIN_SAYS}<&"${CONTAIN_PIPES[0]:-gone}" {CONTAIN_HEARS}>&"${CONTAIN_PIPES[1]:-gone}"; } 2>/dev/null || return 1
    # shellcheck disable=SC1083,SC2102  # a descriptor named by an array's element
    exec {CONTAIN_PIPES[0]}<&- {CONTAIN_PIPES[1]}>&-
}

contain::ready() { # when it waits: CONTAINED is `PID BORN [FENCE]` of what has to die
    local word child=$CONTAIN_STARTER
    read -r -t 30 -u "$CONTAIN_SAYS" word && [[ $word == ready ]] || return 1
    if [[ ${MACHINE[contain]} == namespace ]]; then
        child=
        read -r child _ <"/proc/$CONTAIN_STARTER/task/$CONTAIN_STARTER/children" || [[ $child ]] || return 1 # the line has no end
    fi
    process::born "$CONTAIN_STARTER" || return 1
    CONTAIN_BORN=$REPLY
    process::born "$child" || return 1
    CONTAINED="$child $REPLY${CONTAIN_FENCE:+ $CONTAIN_FENCE}"
}

contain::go() {
    printf 'go\n' >&"$CONTAIN_HEARS"
    exec {CONTAIN_HEARS}>&-
}

contain::ended() { # SECONDS: whether it ends within that time
    local -i rc=0
    read -r -t "$1" -u "$CONTAIN_SAYS" _ || rc=$?
    ((rc <= 128)) || return 1
    # The pipe is closed: in a namespace by the starter's end, else by the launch script's begin.
    process::gone "$CONTAIN_STARTER" "$CONTAIN_BORN" "$1"
}

contain::signal() { # SIGNAL
    kill -s "$1" "${CONTAINED%% *}" 2>/dev/null || :
}

contain::code() { # the exit code of what has ended, in REPLY; and nothing of it is left
    local -i rc=0
    wait "$CONTAIN_STARTER" || rc=$?
    ((rc != 1)) || ! contain::was_killed || rc=137
    contain::clear "$CONTAINED" || :
    REPLY=$rc
}

# Whether the launch script was ended by KILL: unshare of util-linux 2.38 (Debian 12) cannot do the same to itself, says so, and
# ends with 1.
contain::was_killed() {
    record::text "$home/.new/faults" && [[ $REPLY == *'unshare: sigprocmask unblock failed'* ]]
}

contain::clear() { # PID BORN [FENCE]: kill what is left; fails while something is
    local pid born fence
    read -r pid born fence <<<"$1"
    [[ $fence != "$CONTAIN_GROUPS"/*/gpuq-*.service/job || $fence == */../* ]] || contain::empty "$fence" || return
    REPLY=$born
    process::born "$pid" || :
    [[ $REPLY == "$born" ]] || return 0 # the number is another's by now, so nothing of the group was left
    if [[ ${MACHINE[contain]} == group ]]; then
        kill -s KILL -- "-$pid" 2>/dev/null || :
    fi
    process::alive "$pid" "$born" || return 0
    kill -s KILL "$pid" 2>/dev/null || :
    process::gone "$pid" "$born" 2
}

contain::empty() { # FENCE: end all that is in it; fails while something is. It goes away with the unit
    local -i tries=100
    { printf '1\n' >"$1/cgroup.kill"; } 2>/dev/null || :
    while record::text "$1/cgroup.events" && [[ $REPLY == *'populated 1'* ]]; do
        ((tries-- > 0)) || return 1
        process::pause 0.02
    done
}
