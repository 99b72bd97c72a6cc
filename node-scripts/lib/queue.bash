# The queue: one ticket for each waiting job, queue/KEY.ID.ATTEMPT. The key is a moment, zero-padded: the glob is the order.
# shellcheck shell=bash

readonly QUEUE_PRIORITY=600000000 # microseconds of waiting that one point of priority is worth

queue::key() { # SUBMITTED QUEUED PRIORITY: in REPLY
    local -i key=$(($1 < $2 ? $1 : $2))
    key=$((key - $3 * QUEUE_PRIORITY))
    printf -v REPLY '%020d' "$((key > 0 ? key : 0))"
}

queue::ticket() { # HOME NAME: the path of its ticket, whether it is there or not, in REPLY. Needs STATUS
    job::facts "$1"
    queue::key "${JOB[submitted_at]:-0}" "${STATUS[queued_at]:-0}" "${JOB[priority]:-0}"
    REPLY=$SPOOL/queue/$REPLY.$2
}

queue::enter() { # TICKET
    { : >>"$1"; } 2>/dev/null
}

queue::tickets() { # in their order, in QUEUE_TICKETS
    QUEUE_TICKETS=("$SPOOL"/queue/[0-9]*[0-9].????????-????-????-????-????????????.[1-9]*)
}

queue::name() { # TICKET: the job's name, in REPLY
    REPLY=${1##*/}
    REPLY=${REPLY#*.}
}
