# What waits, and for what: the order in which dispatch::start_waiting looks at the tickets, told to people. Needs gpuq::open.
# shellcheck shell=bash

WAITS_NAMES=()

# Loads WAITS_RUNNING (names, by slot), WAITS_NAMES (in their order), and of each of these WAITS_CODE (one of the words that
# docs/node-scripts.md lists) and WAITS_FOR (the same for people). DRAIN is why nothing starts, if nothing does.
waits::load() {
    local ticket name head=
    local -a holders=()
    declare -ga WAITS_RUNNING=() WAITS_NAMES=()
    declare -gA WAITS_CODE=() WAITS_FOR=()
    slots::load
    for name in "${!SLOTS_OF[@]}"; do
        holders[${SLOTS_OF[$name]%%,*}]=$name
    done
    WAITS_RUNNING=(${holders[0]+"${holders[@]}"})
    waits::drain || :
    queue::tickets
    for ticket in "${QUEUE_TICKETS[@]}"; do
        queue::name "$ticket"
        name=$REPLY
        [[ ! ${SLOTS_OF[$name]:-} ]] && job::status "$SPOOL/jobs/$name" && [[ ${STATUS[state]} == waiting ]] &&
            job::facts "$SPOOL/jobs/$name" || continue
        WAITS_NAMES+=("$name")
        waits::reason
    done
}

waits::drain() { # why nothing starts here, in DRAIN; fails when jobs do start
    DRAIN=
    spool::draining || return 1
    spool::word "$SPOOL/drain" && [[ $REPLY ]] || REPLY='no reason given'
    DRAIN=$REPLY
}

waits::reason() { # of `name`, whose facts are in JOB
    local -r gpus=${JOB[gpus]:-1}
    local slots=slots
    ((gpus > 1)) || slots=slot
    if ((SPOOL_SLOTS == 0)); then
        waits::say gpus 'nvidia-smi to answer'
    elif ((gpus > SPOOL_SLOTS)); then
        waits::say node "$gpus slots, there are $SPOOL_SLOTS"
    elif [[ $DRAIN ]]; then
        waits::say drain 'gpuq resume'
    elif dispatch::twin "$name"; then
        waits::say attempt 'the end of another attempt'
    elif [[ $head ]]; then
        waits::say turn 'its turn'
    else
        head=$name
        waits::say slots "$gpus $slots, ${#SLOTS_FREE[@]} free"
    fi
}

waits::say() { # CODE WORDS
    WAITS_CODE[$name]=$1
    WAITS_FOR[$name]=$2
}

waits::position() { # NAME: in REPLY; fails when it does not wait
    local i
    for i in "${!WAITS_NAMES[@]}"; do
        REPLY=$((i + 1))
        [[ ${WAITS_NAMES[i]} != "$1" ]] || return 0
    done
    return 1
}
