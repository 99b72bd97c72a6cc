# Containment: nothing of a job outlives the job, nor its supervisor.
#
#   namespace   a PID namespace whose init is the launch script. The kernel ends the starter with the supervisor
#               (parent-death signal), the init with the starter (kill-child), everything else with the init. As an ordinary
#               user inside a user namespace
#   group       where the kernel refuses namespaces: a process group; `setsid` escapes it, `gpuq info` says so
#
# A third one, a transient systemd unit, belongs here: contain::probe names it, the functions below start, signal and clear it.
# shellcheck shell=bash

contain::probe() { # what this machine allows, in REPLY
    contain::namespace
    if setpriv --pdeathsig KILL "${CONTAIN_COMMAND[@]}" true </dev/null >/dev/null 2>&1; then
        REPLY=namespace
    else
        REPLY=group
    fi
}

contain::namespace() { # the command that makes one, in CONTAIN_COMMAND
    CONTAIN_COMMAND=(unshare --pid --fork --kill-child=KILL --mount-proc)
    ((EUID == 0)) || CONTAIN_COMMAND+=(--user --map-current-user)
}

# Starts the launch script up to the point where it waits for contain::go: if we are killed before, it never runs.
contain::start() { # HOME PREPARE: CONTAIN_STARTER is ours to wait for, CONTAINED is `PID BORN` of what has to die
    local -r home=$1 prepare=$2
    CONTAIN_COMMAND=(setsid)
    [[ ${MACHINE[contain]} != namespace ]] || contain::namespace
    # shellcheck disable=SC2034  # bash fills CONTAIN_PIPES
    coproc CONTAIN_PIPES {
        cd "$home/work" || exit
        "$prepare"
        # What the starter has to say is for us; the job's stderr waits in 7.
        exec 8<&0 9>&1 </dev/null >>"$home/stdout" 7>>"$home/stderr" 2>>"$home/.new/faults"
        # bash had INT and QUIT ignored since it started us in the background.
        exec env --default-signal=INT,QUIT setpriv --pdeathsig KILL "${CONTAIN_COMMAND[@]}" "$BASH" "$GPUQ_ROOT/lib/begin"
    }
    CONTAIN_STARTER=$!
    # bash closes its own ends, and forgets them, when it notices the end, be it now; these stay.
    { exec {CONTAIN_SAYS}<&"${CONTAIN_PIPES[0]:-gone}" {CONTAIN_HEARS}>&"${CONTAIN_PIPES[1]:-gone}"; } 2>/dev/null || return 1
    # shellcheck disable=SC1083,SC2102  # a descriptor named by an array's element
    exec {CONTAIN_PIPES[0]}<&- {CONTAIN_PIPES[1]}>&-

    local word child=$CONTAIN_STARTER
    read -r -t 30 -u "$CONTAIN_SAYS" word && [[ $word == ready ]] || return 1
    if [[ ${MACHINE[contain]} == namespace ]]; then
        child=
        read -r child _ <"/proc/$CONTAIN_STARTER/task/$CONTAIN_STARTER/children" || [[ $child ]] || return 1 # the line has no end
    fi
    process::born "$CONTAIN_STARTER" || return 1
    CONTAIN_BORN=$REPLY
    process::born "$child" || return 1
    CONTAINED="$child $REPLY"
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
    kill -s "$1" "${CONTAINED% *}" 2>/dev/null || :
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

contain::clear() { # PID BORN: kill what is left; fails while something is
    local -r pid=${1% *} born=${1#* }
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
