# Processes and moments, without starting a process.
# shellcheck shell=bash

process::now() { # microseconds since 1970, in REPLY
    REPLY=${EPOCHREALTIME/[!0-9]/}
}

process::born() { # PID: when it began, in ticks since boot, in REPLY; fails when there is no such process or only its corpse
    local stat
    [[ $1 =~ ^[1-9][0-9]{0,9}$ ]] || return 1 # the job may have written it
    { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    local -a field
    read -r -a field <<<"${stat##*) }" # the name before it may hold anything
    REPLY=${field[19]}
    [[ ${field[0]} != [ZX] ]]
}

process::alive() { # PID BORN: the same process, not a later one of the same number
    [[ ${1:-} && ${2:-} ]] && process::born "$1" && [[ $REPLY == "$2" ]]
}

process::gone() { # PID BORN SECONDS: wait until it is
    local -i tries=$(($3 * 50))
    while process::alive "$1" "$2"; do
        ((tries-- > 0)) || return 1
        process::pause 0.02
    done
}

process::pause() { # SECONDS, without a process: nothing is ever written to a pipe that only we hold
    if [[ ! ${PROCESS_SILENCE:-} ]]; then
        exec {PROCESS_SILENCE}<> <(:)
    fi
    read -r -t "$1" -u "$PROCESS_SILENCE" _ || :
}
