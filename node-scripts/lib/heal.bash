# Healing: what a kill or a power cut left half done. Everything here runs under the spool's lock, may run again at any
# time, and touches nothing that lives.
# shellcheck shell=bash

readonly HEAL_PATIENCE=5000000 # microseconds that a supervisor may take to come

# Whether a holder of slots looks dead. Cheap, without lock or process; heal::job finds out.
heal::suspects() { # NAME; needs SLOTS_SINCE
    local -r home=$SPOOL/jobs/$1
    [[ -d $home ]] || return 0
    ! job::alive "$home" || return 1
    [[ ! -e $home/begun ]] || return 0
    process::now
    ((REPLY - ${SLOTS_SINCE[$1]} > HEAL_PATIENCE || REPLY < ${SLOTS_SINCE[$1]}))
}

heal::slots() { # whoever holds one and is dead
    local name
    slots::load
    for name in "${!SLOTS_OF[@]}"; do
        ! heal::suspects "$name" || heal::job "$name" || :
    done
    slots::load
}

heal::job() { # NAME
    local -r name=$1 home=$SPOOL/jobs/$1
    if [[ ! -d $home ]]; then
        slots::free "$name"
        return
    fi
    ! job::alive "$home" || return 0
    job::seize "$home" || return 0
    # From here on nobody else may begin or end it.
    job::status "$home" || :
    case ${STATUS[state]:-torn} in
        ended)
            slots::of "$name"
            ((${#SLOTS_TOKENS[@]} == 0)) || mv -f -t "$home" -- "${SLOTS_TOKENS[@]}"
            ;;
        waiting) heal::waiting ;;
        *) heal::lost ;;
    esac
    job::let_go
}

# It waits, and no supervisor lives. Nothing of the user's has run: that takes the status `running`. So it may begin anew.
heal::waiting() {
    if [[ -e $home/begun ]]; then
        spool::word "$home/begun" || : # without a word: its writer was killed
        case $REPLY in
            cancelled | withdrawn)
                job::settle "$name"
                return
                ;;
            *) rm -f -- "$home/begun" ;;
        esac
    fi
    slots::free "$name"
    job::status "$home"
    queue::ticket "$home" "$name"
    queue::enter "$REPLY"
}

# It ran, and its supervisor is gone. First nothing of it may be left; then its end is told.
heal::lost() {
    local reason=supervisor_lost detail='The supervisor of the job was killed; nothing of the job is left.'
    local outcome code
    job::life "$home"
    if [[ ${LIFE[boot]:-} != "$SPOOL_BOOT" ]]; then
        reason=rebooted detail='The node was restarted while the job ran.'
    elif [[ ${LIFE[contained]:-} ]]; then
        contain::clear "${LIFE[contained]}" || return 1 # it does not die: its slot stays taken, the next look tries again
    fi
    job::mend "$home" && job::decide "$home" system || return
    read -r outcome code <<<"$REPLY"
    # Its end was decided and not sealed. After a kill what it left is there all the same; after a power cut nobody knows.
    [[ $reason != rebooted || $outcome != exited ]] || outcome=system
    if [[ $outcome == system ]]; then
        job::finish "$name" system '' "$reason" "$detail"
    else
        job::finish "$name" "$outcome" "$code"
    fi
}

# After a boot, before anything else: nobody of before is at work, and what was not synced may be gone or torn.
heal::boot() {
    local path
    for path in "$SPOOL"/blank/*; do
        spool::discard "$path" || :
    done
    spool::wipe "$SPOOL"/incoming/* || :
    job::homes jobs
    for path in "${JOB_HOMES[@]}"; do
        [[ ! -d $path ]] || heal::kept "$path" || :
    done
}

# What the disk kept of a job. Its files are synced before it is there, `running` before the user's code runs, and what an end says
# before the end is in its place.
heal::kept() { # HOME
    local -r home=$1 name=${1##*/}
    ! job::alive "$home" || return 0 # somebody took our note of this boot away
    job::status "$home" || :
    [[ ${STATUS[state]:-} != ended ]] || return 0
    if heal::sealed; then
        slots::of "$name"
        job::place "$home" ${SLOTS_TOKENS[0]+"${SLOTS_TOKENS[@]}"}
    elif [[ ! ${STATUS[state]:-} && ! -e $home/begun ]]; then
        process::now
        STATUS=([state]=waiting [queued_at]=$REPLY) # `running` had taken its place and did not get to the disk
        local -a sealed=("$home/.new/status")
        job::replace "$home"
    fi
}

# Whether an end lies ready that is true: somebody may have read it in its place, from where the power cut took it. Of its
# files every byte is there.
heal::sealed() {
    local name file
    local -A end=()
    record::load "$home/.new/status" end && [[ ${end[state]:-} == ended ]] || return
    record::numbers end seq stdout_size stderr_size results_size
    [[ ! ${STATUS[seq]:-} ]] || ((${end[seq]:-0} == STATUS[seq] + 1)) || return
    for name in stdout stderr results; do
        file=$home/$name
        [[ $name != results ]] || file=$home/work/results.jsonl
        [[ ! ${end[${name}_size]:-} ]] || { spool::size "$file" 2>/dev/null && ((REPLY == end[${name}_size])); } || return
    done
    [[ ! ${end[results_sha256]:-} ]] || { job::digest "$file" && [[ $REPLY == "${end[results_sha256]}" ]]; }
}

# Everything: at boot, when a conversation begins, and by hand.
heal::all() {
    local path
    spool::keep_room
    job::homes jobs
    for path in "${JOB_HOMES[@]}"; do
        [[ ! -d $path ]] || heal::entry "$path" || :
    done
    heal::slots
    queue::tickets
    for path in "${QUEUE_TICKETS[@]}"; do
        queue::name "$path"
        job::status "$SPOOL/jobs/$REPLY" && [[ ${STATUS[state]:-} != ended ]] || rm -f -- "$path" 2>/dev/null || :
    done
    for path in "$SPOOL"/incoming/*; do
        # Their names end with the pid of whoever is at work there.
        kill -0 -- "${path##*.}" 2>/dev/null || spool::wipe "$path" || :
    done
    for path in "$SPOOL"/blank/*/owner; do
        { spool::word "$path" && kill -0 "$REPLY" 2>/dev/null; } || spool::discard "${path%/owner}" || :
    done
}

heal::entry() { # HOME
    local -r name=${1##*/}
    job::status "$1" || :
    case ${STATUS[state]:-torn} in
        ended) return 0 ;;
        waiting)
            slots::load
            [[ ! ${SLOTS_OF[$name]:-} ]] || return 0 # starting: heal::slots knows
            if job::is_copy "$name"; then
                spool::discard "$1"
                return
            fi
            queue::ticket "$1" "$name"
            [[ -e $REPLY && ! -e $1/begun ]] || heal::job "$name"
            ;;
        *) heal::job "$name" ;;
    esac
}
