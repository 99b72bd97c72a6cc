# Bundles: what a submit brings, checked and put into the spool.
# shellcheck shell=bash

readonly BUNDLE_LIMIT=$((64 * 1024 * 1024)) # bytes
readonly BUNDLE_SMALL=16384                 # bytes; up to here bash copies faster than a process starts
readonly BUNDLE_FILES='job|launch\.sh|solution\.py|job\.sh|job\.env'

# A place for it, in BUNDLE: a blank one, from now on ours. They are made many at once, because a process costs more than they do.
bundle::make() {
    local fresh
    local -i tries=3
    while ((tries-- > 0)); do
        for BUNDLE in "$SPOOL"/blank/*/work; do # that part is made last
            BUNDLE=${BUNDLE%/work}
            [[ -e $BUNDLE/owner ]] || ! spool::create "$BUNDLE/owner" "$BASHPID" || return 0
        done
        fresh=$SPOOL/blank/$SRANDOM
        mkdir -- "$fresh".{1..16}{,/.new,/work} 2>/dev/null || break
    done
    BUNDLE=
    return 1
}

bundle::drop() {
    [[ ! $BUNDLE ]] || spool::discard "$BUNDLE" || :
}

bundle::path() { # FILE: where it lies, in REPLY
    case $1 in
        job) REPLY=$BUNDLE/job ;;
        *) REPLY=$BUNDLE/work/$1 ;;
    esac
}

# Unpacks a payload, byte for byte. The sentence of a refusal is in REPLY.
bundle::unpack() { # DESCRIPTOR LENGTH: of a file that stands at the payload's first byte
    local -ri from=$1 length=$2
    local -i sum=0
    local line file
    local -a files=()
    local -A sizes=()
    while IFS= read -r -u "$from" line && [[ $line ]]; do
        sum+=$((${#line} + 1))
        if [[ ! $line =~ ^file\ ($BUNDLE_FILES)\ (0|[1-9][0-9]{0,7})$ || ${sizes[${BASH_REMATCH[1]}]:-} ]]; then
            REPLY='the manifest has a line that is not "file NAME SIZE" with a known name, once'
            return 64
        fi
        files+=("${BASH_REMATCH[1]}")
        sizes[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
        sum+=${BASH_REMATCH[2]}
    done
    if ((sum + 1 != length)); then
        REPLY='the sizes of the manifest do not add up to the length of the payload'
        return 64
    fi
    for file in "${files[@]}"; do
        bundle::path "$file"
        bundle::copy "$from" "${sizes[$file]}" "$REPLY" || {
            REPLY="$file could not be written whole"
            return 75
        }
    done
}

bundle::copy() { # DESCRIPTOR SIZE FILE: exactly that many bytes, NULs among them
    local -i left=$2
    local piece
    if ((left > BUNDLE_SMALL)); then
        head -c "$left" <&"$1" >"$3" && [[ -s $3 ]]
        return
    fi
    while ((left > 0)); do
        IFS= read -r -d '' -n "$left" -u "$1" piece || return
        printf '%s' "$piece" || return
        left=$((left - ${#piece}))
        ((left > 0)) || break
        printf '\0' || return # what stopped the read
        left=$((left - 1))
    done >"$3"
}

# Whether the bundle is a job that this node can run. Loads JOB. The sentence of a refusal is in REPLY.
bundle::check() { # ID ATTEMPT
    local line
    local -A known=()
    declare -gA JOB=()
    REPLY=
    if [[ ! -f $BUNDLE/job || ! -s $BUNDLE/work/launch.sh ]]; then
        REPLY='the bundle needs job and launch.sh'
        return 64
    fi
    spool::size "$BUNDLE/job"
    if ((REPLY >= RECORD_MOST)); then
        REPLY="job has $REPLY bytes, more than $((RECORD_MOST - 1))"
        return 64
    fi
    REPLY=
    while IFS= read -r line || [[ $line ]]; do
        if [[ ! $line =~ ^([a-z_]+)\ ([^[:cntrl:]]+)$ || ${known[${BASH_REMATCH[1]}]:-} ]]; then
            REPLY='job has a line that is not "key value", once'
            return 64
        fi
        known[${BASH_REMATCH[1]}]=yes
        JOB[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
    done <"$BUNDLE/job"
    local key
    for key in "${JOB_STATUS[@]}"; do
        [[ ! ${known[$key]:-} ]] || REPLY="job says $key, which is the node's to say"
    done
    bundle::fact job "$1" && bundle::fact attempt "$2" &&
        bundle::fact origin 'server|operator' &&
        bundle::fact user '.+' &&
        bundle::fact template '[a-z][a-z0-9-]{0,63}' &&
        bundle::fact competition '[A-Za-z0-9][A-Za-z0-9._-]{0,63}' optional &&
        bundle::fact gpus '[1-9][0-9]{0,3}' &&
        bundle::fact priority '0|-?[1-9][0-9]?|-?100' &&
        bundle::fact expected_time '[1-9][0-9]{0,8}' &&
        bundle::fact time_limit '[1-9][0-9]{0,8}' &&
        bundle::fact submitted_at '[1-9][0-9]{0,16}' || return 64
    if ((SPOOL_SLOTS == 0)); then
        REPLY='nvidia-smi fails here; nobody knows how many slots this node has'
        return 75
    elif ((JOB[gpus] > SPOOL_SLOTS)); then
        REPLY="the job takes ${JOB[gpus]} slots, this node has $SPOOL_SLOTS"
    elif [[ ${JOB[competition]:-} && ! -s $BUNDLE/work/solution.py ]]; then
        REPLY='a job that is graded needs a solution.py'
    fi
    [[ ! $REPLY ]] || return 64
}

bundle::fact() { # KEY PATTERN [optional]
    [[ ! $REPLY ]] || return 1
    [[ ! ${JOB[$1]:-} && ${3:-} ]] || [[ ${JOB[$1]:-} =~ ^($2)$ ]] || {
        REPLY="job's $1 is '${JOB[$1]:-}', which is not as it should be"
        return 1
    }
}

# Brings the bundle to the disk, renames it into place, shows its ticket. A job that is there is whole, whatever happens to the
# power. When the pair is there already, what is there stays. Either way the job is safe when this returns 0.
bundle::publish() { # NAME
    local -r name=$1
    local -A STATUS=()
    process::now
    STATUS=([seq]=1 [state]=waiting [queued_at]=$REPLY)
    { record::print STATUS "${JOB_STATUS[@]}" >"$BUNDLE/status"; } 2>/dev/null &&
        spool::sync "$BUNDLE"/work/* "$BUNDLE/job" "$BUNDLE/status" "$BUNDLE/work" "$BUNDLE" || {
        bundle::drop
        REPLY='the spool cannot be written'
        return 75
    }
    queue::key "${JOB[submitted_at]}" "${STATUS[queued_at]}" "${JOB[priority]}"
    local -r ticket=$SPOOL/queue/$REPLY.$name
    if mv -T -- "$BUNDLE" "$SPOOL/jobs/$name" 2>/dev/null; then
        if job::is_copy "$name"; then
            bundle::drop_copy "$name"
            return
        fi
        bundle::settle "$name" "$ticket" || return
        journal::append "$name" 1 waiting
    else
        bundle::drop
        job::home "$name" || {
            REPLY='the spool cannot be written'
            return 75
        }
        bundle::again "$name"
    fi
}

# A submit of a pair that is there already: it may have been published by somebody who was killed before he synced.
bundle::again() { # NAME
    local -r home=$SPOOL/jobs/$1
    [[ -d $home ]] || return 0 # a tombstone, or released
    if job::is_copy "$1"; then
        bundle::drop_copy "$1"
        return
    fi
    local ticket=
    job::status "$home" || :
    if [[ ${STATUS[state]:-} == waiting && ! -e $home/begun ]]; then
        queue::ticket "$home" "$1"
        ticket=$REPLY
    fi
    bundle::settle "$1" "$ticket"
}

bundle::drop_copy() { # NAME
    spool::discard "$SPOOL/jobs/$1" || {
        REPLY='the spool cannot be written'
        return 75
    }
}

bundle::settle() { # NAME TICKET
    { [[ ! $2 ]] || queue::enter "$2"; } && spool::sync "$SPOOL/jobs" "$SPOOL/queue" || {
        REPLY="the spool cannot be written; what is there of $1 may start all the same"
        return 75
    }
}
