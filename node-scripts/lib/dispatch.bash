# Dispatch: give free slots to the jobs at the head of the queue. Every submit, every end of a job and everybody who looks
# runs this, so no wake-up is lost: a submit shows its ticket before it looks for a free slot, an end frees its slots before
# it looks for a ticket.
# shellcheck shell=bash

dispatch::run() {
    ! dispatch::needed || dispatch::now
}

dispatch::now() {
    spool::lock
    heal::slots
    dispatch::start_waiting || :
    spool::unlock
    dispatch::hand_over
}

# Whether the lock is worth a process: somebody is dead, or a slot is free and somebody waits.
dispatch::needed() {
    local name ticket
    slots::load
    for name in "${!SLOTS_OF[@]}"; do
        ! heal::suspects "$name" || return 0
    done
    ((${#SLOTS_FREE[@]} > 0)) && ! spool::draining || return 1
    queue::tickets
    for ticket in "${QUEUE_TICKETS[@]}"; do
        queue::name "$ticket"
        [[ ${SLOTS_OF[$REPLY]:-} ]] || return 0
    done
    return 1
}

dispatch::start_waiting() {
    local ticket name home
    local -i gpus
    DISPATCH_STARTS=()
    ! spool::draining || return 0
    queue::tickets
    for ticket in "${QUEUE_TICKETS[@]}"; do
        ((${#SLOTS_FREE[@]} > 0)) || return 0
        queue::name "$ticket"
        name=$REPLY home=$SPOOL/jobs/$REPLY
        [[ ! ${SLOTS_OF[$name]:-} ]] || continue # it starts already
        job::status "$home" || :
        if [[ ${STATUS[state]:-} != waiting ]]; then
            rm -f -- "$ticket" 2>/dev/null || : # it was cancelled or ended by somebody who was killed before he took the ticket along
            continue
        fi
        if [[ -e $home/begun ]]; then
            heal::job "$name"
            continue
        fi
        ! dispatch::twin "$name" || continue
        job::facts "$home"
        gpus=${JOB[gpus]}
        ((gpus <= SPOOL_SLOTS)) || continue # it took less when it came; `gpuq queue` says what it waits for
        ((gpus <= ${#SLOTS_FREE[@]})) || return 0 # the head is never overtaken
        dispatch::start "$name" "$gpus" || return 0
    done
}

dispatch::twin() { # NAME: whether another attempt of the same job holds a slot; attempts never run side by side
    local other
    for other in "${!SLOTS_OF[@]}"; do
        [[ $other != "${1%.*}".* ]] || return 0
    done
    return 1
}

# The supervisor: apart from us, the job's life locked from its first instruction, no descriptor of ours. flock waits,
# because a supervisor that came too late may still be looking for its nonce.
dispatch::start() { # NAME SLOTS
    local -r nonce=$SRANDOM home=$SPOOL/jobs/$1
    slots::claim "$1" "$nonce" "$2" || {
        slots::free "$1" # a full disk; it waits
        return 1
    }
    # A unit of its name may still be on its way out, so the nonce is part of it.
    contain::apart "gpuq-$1.$nonce" flock --no-fork --timeout 10 "$home/life" \
        "$BASH" "$GPUQ_PROGRAM" supervise "${1%.*}" "${1##*.}" "$nonce"
    "${CONTAIN_APART[@]}" </dev/null >/dev/null 2>>"$home/.new/faults" {SPOOL_LOCK}>&- &
    DISPATCH_STARTS+=("$!")
}

# Until systemd has taken over what we start: with us our login may end, or our unit, and all that is in it.
dispatch::hand_over() {
    [[ ${MACHINE[units]:-none} == none ]] || ((${#DISPATCH_STARTS[@]} == 0)) || wait "${DISPATCH_STARTS[@]}" || :
}

# The same after a look at everything there is.
dispatch::all() {
    spool::lock
    heal::all
    dispatch::start_waiting || :
    spool::unlock
    dispatch::hand_over
}
