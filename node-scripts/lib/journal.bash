# The journal: the bell. Append-only, in generations: a new one at each boot and when one has grown long. A generation is a
# file named by the microsecond at which it began; the last by name is the present one. A line is
#
#     <job> <attempt> <seq> <state> <length of what stands before>
#
# written with one write, so that kill -9 leaves all of it or nothing. The last line of a full generation is `next
# <generation>`. Status files are the truth: a lost line costs a moment, never a fact.
# shellcheck shell=bash

readonly JOURNAL_FULL=1048576 # bytes
# What else lies there is not ours.
readonly JOURNAL_NAME='[1-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
readonly JOURNAL_LINE='^([0-9a-f-]{36} [0-9]+ [0-9]+ (waiting|running|ended)) ([0-9]+)$'

journal::begin() { # a new generation; the one before it is kept for those who still follow it
    local -i last=0
    journal::generations
    local -a old=("${JOURNAL_GENERATIONS[@]}")
    ((${#old[@]} == 0)) || last=${old[-1]##*/}
    process::now
    local -r generation=$((REPLY > last ? REPLY : last + 1)) # the clock may have gone back; the bell must not
    : >"$SPOOL/journal/$generation"
    if ((${#old[@]} > 0)); then
        printf 'next %s\n' "$generation" >>"${old[-1]}"
        unset 'old[-1]'
    fi
    ((${#old[@]} == 0)) || rm -f -- "${old[@]}"
}

journal::present() { # its path, in REPLY
    journal::generations
    if ((${#JOURNAL_GENERATIONS[@]} == 0)); then # somebody took them away
        journal::begin
        journal::generations
    fi
    REPLY=${JOURNAL_GENERATIONS[-1]}
}

journal::generations() {
    local path
    JOURNAL_GENERATIONS=()
    # shellcheck disable=SC2231  # a pattern
    for path in "$SPOOL"/journal/$JOURNAL_NAME; do
        [[ ! -f $path ]] || JOURNAL_GENERATIONS+=("$path")
    done
}

journal::append() { # NAME SEQ STATE
    local -r line="${1%.*} ${1##*.} $2 $3"
    journal::present
    # A full disk silences the bell; that must not keep a job from ending.
    { printf '%s %d\n' "$line" "${#line}" >>"$REPLY"; } 2>/dev/null || :
}

# Where the present generation ends, in JOURNAL_GENERATION and JOURNAL_END. A conversation that asks again reads only what
# was added since: the file stays open, and the kernel says how far it was read.
journal::end() {
    local _
    journal::present
    if [[ ${JOURNAL_GENERATION:-} != "${REPLY##*/}" ]]; then
        [[ ! ${JOURNAL_OPEN:-} ]] || exec {JOURNAL_OPEN}<&-
        JOURNAL_GENERATION=${REPLY##*/}
        exec {JOURNAL_OPEN}<"$REPLY"
    fi
    mapfile -u "$JOURNAL_OPEN" _
    spool::position "$JOURNAL_OPEN"
    JOURNAL_END=$REPLY
}

journal::rotate() { # when it is full
    journal::end
    ((JOURNAL_END > JOURNAL_FULL)) || return 0
    spool::lock
    journal::end
    ((JOURNAL_END <= JOURNAL_FULL)) || journal::begin
    spool::unlock
}

# Following it: the process that reads is tied to us by its pid and by the pipe, so it ends when we are killed, too. Where the file system
# tells of changes the interval is of no account; on an overlay, as in containers, tail has to look.
journal::follow() { # GENERATION OFFSET
    journal::unfollow
    exec {JOURNAL_BELL}< <(exec tail --pid=$$ -f -s 0.2 -c "+$(($2 + 1))" "$SPOOL/journal/$1" 2>/dev/null)
    JOURNAL_TAIL=$!
}

journal::unfollow() {
    [[ ${JOURNAL_TAIL:-} ]] || return 0
    kill "$JOURNAL_TAIL" 2>/dev/null || :
    exec {JOURNAL_BELL}<&-
    JOURNAL_TAIL=
}

journal::wait() { # SECONDS: until the bell rings, or that long
    local present
    journal::present
    present=${REPLY##*/}
    if [[ ! ${JOURNAL_TAIL:-} || $present != "${JOURNAL_FOLLOWED:-}" ]]; then
        journal::end
        journal::follow "$JOURNAL_GENERATION" "$JOURNAL_END"
        JOURNAL_FOLLOWED=$JOURNAL_GENERATION
        return 0 # what was missed until now is seen by looking once more
    fi
    read -r -t "$1" -u "$JOURNAL_BELL" _ || :
}
