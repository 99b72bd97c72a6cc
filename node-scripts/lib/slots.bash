# Slots: slots/slotN holds `NAME NONCE MOMENT` of the job that has it; a free slot has no file.
# shellcheck shell=bash

# Loads SLOTS_FREE (numbers), SLOTS_OF (job name -> numbers, comma-separated), SLOTS_SINCE (job name -> moment).
slots::load() {
    declare -ga SLOTS_FREE=()
    declare -gA SLOTS_OF=() SLOTS_SINCE=()
    local slot number name moment _
    local -A held=()
    for slot in "$SPOOL"/slots/slot*; do
        number=${slot##*/slot}
        [[ $number =~ ^(0|[1-9][0-9]{0,3})$ ]] || continue
        held[$number]=yes
        name='' moment=''
        { [[ -f $slot ]] && read -r -n 200 name _ moment <"$slot"; } 2>/dev/null || [[ -e $slot ]] || {
            unset 'held[$number]'
            continue
        }
        name=${name:-torn}
        SLOTS_OF[$name]+=${SLOTS_OF[$name]:+,}$number
        [[ $moment =~ ^[1-9][0-9]{0,17}$ ]] || moment=0
        SLOTS_SINCE[$name]=$moment
    done
    for ((number = 0; number < SPOOL_SLOTS; number++)); do
        [[ ${held[$number]:-} ]] || SLOTS_FREE+=("$number")
    done
}

slots::of() { # NAME: the paths of what it holds, in SLOTS_TOKENS
    slots::load
    local -r held=${SLOTS_OF[$1]:-}
    local number
    SLOTS_TOKENS=()
    for number in ${held//,/ }; do
        SLOTS_TOKENS+=("$SPOOL/slots/slot$number")
    done
}

slots::claim() { # NAME NONCE COUNT: under the spool's lock, with SLOTS_FREE of now
    local number
    process::now
    for number in "${SLOTS_FREE[@]:0:$3}"; do
        spool::create "$SPOOL/slots/slot$number" "$1 $2 $REPLY" || return
        SLOTS_OF[$1]+=${SLOTS_OF[$1]:+,}$number
    done
    SLOTS_FREE=("${SLOTS_FREE[@]:$3}")
}

slots::granted() { # NAME NONCE: the slots that carry this very claim, comma-separated, in REPLY; fails when there are none
    local slot name nonce _
    local numbers=
    for slot in "$SPOOL"/slots/slot*; do
        { [[ -f $slot ]] && read -r -n 200 name nonce _ <"$slot"; } 2>/dev/null || continue
        [[ $name != "$1" || $nonce != "$2" ]] || numbers+=${numbers:+,}${slot##*/slot}
    done
    REPLY=$numbers
    [[ $numbers ]]
}

slots::free() { # NAME: what a job that never began holds
    slots::of "$1"
    ((${#SLOTS_TOKENS[@]} == 0)) || rm -f -- "${SLOTS_TOKENS[@]}" 2>/dev/null || :
}
