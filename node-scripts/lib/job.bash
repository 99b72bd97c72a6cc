# A job: the directory jobs/ID.ATTEMPT, its name used as the job's name throughout.
#
#   job       the facts, written once by whoever submits      status    where it stands, replaced by rename
#   work/     launch.sh, solution.py; here it runs and leaves results.jsonl
#   stdout  stderr                                            what the launch script printed
#   begun     one exclusive create decides: `supervisor NONCE`, or `cancelled` or `withdrawn` before it began
#   verdict   one exclusive create decides: `exited CODE`, `time_limit`, `cancelled` or `system`
#   owner     the pid of whoever filled the directory
#   life      locked by the supervisor as long as it lives; who it is, and what it contains
#   .new/     statuses before they are in place
#
# The job's ticket and its slots move here when it has begun and when it has ended: the mv that replaces the status takes
# them along. Who may write a status: until the job has begun whoever holds the spool's lock, then whoever holds its life.
# shellcheck shell=bash

readonly JOB_ID='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
readonly JOB_ATTEMPT='[1-9][0-9]{0,8}'
readonly JOB_YOUNG=120000000 # microseconds after which whatever was written is on the disk without our doing
readonly JOB_FACTS=(
    job attempt origin user project name competition template gpus priority expected_time time_limit submitted_at
)
readonly JOB_STATUS=(
    seq state slots queued_at started_at ended_at outcome exit_code reason detail
    results_size results_sha256 stdout_size stderr_size
)
JOB_NO_FACTS="job attempt ${JOB_STATUS[*]}"
readonly JOB_NO_FACTS=$'\n('"${JOB_NO_FACTS// /|})"$'[ \n]'
JOB_NO_STATUS=${JOB_FACTS[*]}
readonly JOB_NO_STATUS=$'\n('"${JOB_NO_STATUS// /|})"$'[ \n]'
readonly JOB_DIGESTED=67108864 # bytes of results that have a hash; no server fetches so many

# What lies in a folder of the spool and has the name of a job, in JOB_HOMES. Whatever else lies there is not ours.
job::homes() { # jobs|released|purged
    JOB_HOMES=("$SPOOL/$1"/????????-????-????-????-????????????.[1-9]*)
}

job::is_pair() { # ID ATTEMPT
    [[ ${1:-} =~ ^$JOB_ID$ && ${2:-} =~ ^$JOB_ATTEMPT$ ]]
}

job::home() { # NAME: where it lies, or what is left of it, in REPLY; fails when it is nowhere
    for REPLY in "$SPOOL"/{jobs,released,purged}/"$1"; do
        [[ ! -e $REPLY ]] || return 0
    done
    return 1
}

job::is_past() { # NAME: the server has all of it, or it was purged
    [[ -e $SPOOL/released/$1 || -e $SPOOL/purged/$1 ]]
}

# Loads STATUS. A tombstone has one, too. After a power cut a status may be torn: then it has no state.
job::status() { # HOME
    declare -gA STATUS=()
    if [[ -f $1 ]]; then
        local outcome ended_at seq exit_code
        spool::word "$1" || REPLY=withdrawn # its writer was killed before he wrote it
        read -r outcome ended_at seq exit_code <<<"$REPLY"
        STATUS=([seq]=${seq:-1} [state]=ended [outcome]=$outcome [ended_at]=$ended_at [exit_code]=$exit_code)
    else
        record::load "$1/status" STATUS || return
    fi
    record::numbers STATUS seq queued_at started_at ended_at exit_code results_size stdout_size stderr_size
}

job::facts() { # HOME: loads JOB
    declare -gA JOB=()
    record::load "$1/job" JOB || return
    record::numbers JOB gpus priority expected_time time_limit submitted_at
}

job::record() { # NAME: what the protocol calls its record, in REPLY; 66 when there is none
    slots::load
    job::text "$1"
}

job::text() { # NAME: the same for one of many; needs SLOTS_OF
    local home text
    job::home "$1" || {
        REPLY="no job ${1%.*} with attempt ${1##*.} here"
        return 66
    }
    home=$REPLY
    if [[ -f $home ]]; then
        local -A about=([job]=${1%.*} [attempt]=${1##*.})
        job::status "$home"
        job::keep "$home" || return
        text=$(record::print about job attempt && record::print STATUS "${JOB_STATUS[@]}")
        REPLY=$text$'\n'
        return 0
    fi
    record::text "$home/job" && text=$REPLY && record::text "$home/status" && [[ $REPLY == *$'\nstate '* ]] || {
        if [[ -e $home ]]; then
            REPLY='the job cannot be read now' # torn by a power cut, until somebody heals it
            return 75
        fi
        job::text "$1" # it was released between two looks: look where it went
        return
    }
    job::is_sound "$REPLY" "$JOB_NO_STATUS" || job::sound "$home/status" "${JOB_STATUS[@]}"
    local -r status=$REPLY head="job ${1%.*}"$'\n'"attempt ${1##*.}"$'\n'
    REPLY=${text#"$head"}
    [[ $text == "$head"* ]] && job::is_sound "$REPLY" "$JOB_NO_FACTS" || job::sound "$home/job" "${JOB_FACTS[@]:2}"
    text=$head$REPLY$status
    # `starting` is not a status of its own: the job waits and holds its slots.
    if [[ ${SLOTS_OF[$1]:-} ]]; then
        text=${text/$'\nstate waiting\n'/$'\nstate starting\nslots '"${SLOTS_OF[$1]}"$'\n'}
    fi
    REPLY=$text
}

# Whether these are whole lines, and none of what is not theirs to say: a job without a container could have written there.
job::is_sound() { # TEXT NOT_THEIRS
    [[ $1 == *$'\n' && $'\n'$1 != *$'\n\n'* && ! $'\n'$1 =~ $2 ]]
}

job::sound() { # FILE KEY…: the lines of these keys, as far as they can be read there, in REPLY
    local -A left=()
    record::load "$1" left || :
    REPLY=$(record::print left "${@:2}")
    REPLY+=${REPLY:+$'\n'}
}

# A tombstone that is told has to be on the disk; whoever made it may not have come to that. Old ones are.
job::keep() { # HOME; needs STATUS
    process::now
    [[ $1 != "$SPOOL/jobs/"* ]] || ((${STATUS[ended_at]:-REPLY} < REPLY - JOB_YOUNG)) ||
        spool::sync "$1" "$SPOOL/jobs" || [[ ! -e $1 ]] || {
        REPLY='the spool cannot be written'
        return 75
    }
}

# Whether it is a submit that was unpacked once more while its job ran and was released. Such a copy was never in the queue.
job::is_copy() { # NAME
    [[ -d $SPOOL/jobs/$1 ]] && job::is_past "$1"
}

# Replaces the status by what STATUS says, and brings tickets and slots home in the same breath. What the caller has
# `sealed` is on the disk by then.
job::replace() { # HOME TOKEN…
    local -r home=$1
    local -a tokens=()
    local token
    for token in "${@:2}"; do
        [[ ! -e $token ]] || tokens+=("$token")
    done
    STATUS[seq]=$((${STATUS[seq]:-100} + 1))
    spool::clear "$home/.new/status" && { record::print STATUS "${JOB_STATUS[@]}" >"$home/.new/status"; } 2>/dev/null &&
        { ((${#sealed[@]} == 0)) || spool::sync "${sealed[@]}"; } &&
        job::place "$home" ${tokens[0]+"${tokens[@]}"} || {
        STATUS[seq]=$((STATUS[seq] - 1)) # nobody has seen it
        return 1
    }
}

job::place() { # HOME TOKEN…: the status that lies ready
    mv -f -t "$1" -- "$1/.new/status" "${@:2}" 2>/dev/null || [[ ! -e $1/.new/status ]]
}

# Loads LIFE: boot, supervisor PID BORN, contained PID BORN.
job::life() { # HOME
    declare -gA LIFE=()
    record::load "$1/life" LIFE || :
}

# Whether a supervisor lives, as its pid says. Only the lock proves that it does not: ask job::seize before acting on it.
job::alive() { # HOME
    job::life "$1"
    # shellcheck disable=SC2086  # PID and BORN are two words
    [[ ${LIFE[boot]:-} == "$SPOOL_BOOT" ]] && process::alive ${LIFE[supervisor]:-}
}

# Opened both ways, because a job may have put a pipe there, and to open one in one way only waits for somebody at its other end. Whoever
# supervises such a job cannot be told from nobody: it is left alone.
job::seize() { # HOME: take the life of a job that nobody supervises; fails when somebody does
    job::unlock "$1" "$1/life" || return
    { exec {JOB_LIFE}<>"$1/life"; } 2>/dev/null || return # it may have been released this moment
    [[ -f /dev/fd/$JOB_LIFE ]] && flock --nonblock "$JOB_LIFE" || {
        job::let_go
        return 1
    }
}

job::let_go() {
    exec {JOB_LIFE}>&-
}

# The job ran as the user whose spool this is, and could do anything to its own home. Its end is to be told there all the same. By the one
# who may write the status, before anything else.
job::mend() { # HOME
    local file
    [[ -d $1 && ! -L $1 ]] || { rm -f -- "$1" && mkdir -- "$1"; } 2>/dev/null || return
    job::unlock "$1" || return
    for file in .new work; do
        [[ -d $1/$file && ($file == work || ! -L $1/$file) ]] || { spool::wipe "$1/$file" && mkdir -- "$1/$file" 2>/dev/null; } || return
    done
    for file in "$1"/{job,status,verdict,begun,life,stdout,stderr} "$1"/slot*; do
        spool::clear "$file" || return
    done
    job::unlock "$1"/{.new,work,job,status,verdict,begun,life,stdout,stderr}
}

# What is there can be read and changed again by the user whose it is.
job::unlock() { # PATH…
    local path
    for path in "$@"; do
        [[ ! -e $path || (-r $path && -w $path && (! -d $path || -x $path)) ]] || chmod u+rwX -- "$path" 2>/dev/null || return
    done
}

# What ended a job that has begun: the first to say so decides. The word is in REPLY; fails when none can be written.
job::decide() { # HOME WORD…
    local -r verdict=$1/verdict
    job::unlock "$1" && spool::clear "$verdict" && job::unlock "$verdict" || return
    spool::agree "$verdict" "${*:2}" || { spool::make_room && spool::agree "$verdict" "${*:2}"; } || return
    [[ $REPLY =~ ^(exited\ [0-9]{1,3}|time_limit|cancelled|system)$ ]] || { # nobody's but the job's
        rm -f -- "$verdict"
        spool::agree "$verdict" "${*:2}"
    }
}

# The end. By the one who may write the status, with STATUS as it stands; the outcome has been decided. What could not start
# for a reason that is not the solution's says so in setup-failed. The status comes into place when it is on the disk, with all
# that it says: from then on a boot believes it also where it lies ready, so its place needs no sync.
job::finish() { # NAME OUTCOME [EXIT_CODE [REASON DETAIL]]
    job::end "$@" || { spool::make_room && job::end "$@"; }
}

job::end() {
    local -r name=$1 home=$SPOOL/jobs/$1
    process::now
    STATUS[state]=ended
    STATUS[ended_at]=$REPLY
    STATUS[outcome]=$2
    STATUS[exit_code]=${3:-}
    STATUS[reason]=${4:-}
    STATUS[detail]=${5:-}
    [[ $2 != exited || ${3:-} != 70 ]] || job::setup_failed "$home"

    local -a sealed=()
    [[ ! ${STATUS[started_at]:-} ]] || job::seal "$home" || return
    slots::of "$name"
    queue::ticket "$home" "$name"
    sealed+=("$home/.new" "$home/.new/status")
    job::replace "$home" "$REPLY" ${SLOTS_TOKENS[0]+"${SLOTS_TOKENS[@]}"} || return
    journal::append "$name" "${STATUS[seq]}" ended
}

job::setup_failed() { # HOME
    local sentence=
    [[ -f $1/work/setup-failed && ! -L $1/work/setup-failed ]] || return 0
    { IFS= read -r -n 500 sentence <"$1/work/setup-failed"; } 2>/dev/null || :
    STATUS[outcome]=system
    STATUS[exit_code]=
    STATUS[reason]=launch_failed
    STATUS[detail]=${sentence//[[:cntrl:]]/ }
    STATUS[detail]=${STATUS[detail]:-The launch script could not start the grader.}
}

# What the job left, measured. Nothing of it runs any more; but it could put anything where a file is expected.
job::seal() { # HOME
    local name file
    for name in stdout stderr results; do
        file=$1/$name
        [[ $name != results ]] || file=$1/work/results.jsonl
        [[ -f $file && ! -L $file ]] && job::unlock "$file" || continue # what its user cannot read is none
        spool::size "$file" || return
        STATUS[${name}_size]=$REPLY
        sealed+=("$file")
    done
    if [[ ${STATUS[results_size]:-} ]]; then
        job::digest "$file" || return
        STATUS[results_sha256]=$REPLY
        sealed+=("$1/work")
    fi
}

job::digest() { # FILE: of its beginning, in REPLY: a file with a hole of terabytes is made in no time, and read in hours
    REPLY=$(head -c "$JOB_DIGESTED" -- "$1" | sha256sum) && REPLY=${REPLY%% *}
}

# Ends a job that was cancelled or withdrawn before it began. Under the spool's lock; again after a kill, the same.
job::settle() { # NAME
    local -r home=$SPOOL/jobs/$1
    job::status "$home" && [[ ${STATUS[state]:-} == waiting ]] || return 0
    spool::word "$home/begun" && [[ $REPLY == cancelled || $REPLY == withdrawn ]] || return 0
    job::finish "$1" "$REPLY"
}

# Cancel and withdraw: whoever makes `begun` or `verdict` first decides. The record is in REPLY.
job::stop() { # NAME cancelled|withdrawn
    local -r name=$1 outcome=$2 home=$SPOOL/jobs/$1
    local -i rc=0
    if ! job::home "$name"; then
        job::bury || rc=$?
        ((rc > 0)) || journal::append "$name" 1 ended
    fi
    if [[ -d $home ]]; then
        rc=0
        job::status "$home" || :
        if [[ ${STATUS[state]:-} == waiting ]]; then
            spool::lock
            job::prevent "$home" || rc=$?
            ((rc > 0)) || job::settle "$name" || rc=2
            spool::unlock
        fi
        if [[ ${STATUS[state]:-} != ended && $outcome == cancelled ]] && ((rc < 2)); then
            job::decide "$home" cancelled && spool::sync "$home/verdict" "$home" || rc=2
            job::notify "$home"
        fi
    fi
    if ((rc == 2)) && { [[ -e $home ]] || ! job::is_past "$name"; }; then # it may have been released meanwhile
        REPLY='the spool cannot be written'
        return 75
    fi
    job::record "$name"
}

# The tombstone stands where the job would: neither can be made over the other. It comes with its word, because whoever sees it
# takes that for the end. 1: something is there already, 2: the spool cannot be written.
job::bury() {
    local -r stone=$SPOOL/incoming/$name.$BASHPID
    local -i rc=0
    process::now
    { printf '%s\n' "$outcome $REPLY" >"$stone"; } 2>/dev/null && spool::sync "$stone" &&
        mv -nT -- "$stone" "$home" 2>/dev/null && [[ ! -e $stone ]] || rc=1
    ((rc == 0)) || rm -f -- "$stone"
    [[ -e $home ]] || rc=2
    return "$rc"
}

# Whether the job will never begin, by us or by somebody before us; 1: it has begun, 2: the spool cannot be written. Under the
# spool's lock, so that nobody heals a `begun` that is about to get its word.
job::prevent() { # HOME
    local -i rc=0
    spool::create "$1/begun" "$outcome" || rc=$?
    ((rc == 1)) || return "$rc"
    ! spool::word "$1/begun" || [[ $REPLY != cancelled && $REPLY != withdrawn ]] || return 0
    # A supervisor made it, or somebody who was killed before he said who he is. If nobody is alive there, it is taken away.
    heal::job "$name"
    [[ ! -e $1/begun ]] || return 1
    spool::create "$1/begun" "$outcome"
}

job::notify() { # HOME: the supervisor looks at the verdict now, not at its next round
    ! job::alive "$1" || kill -USR1 "${LIFE[supervisor]% *}" 2>/dev/null || :
}

# For people, who name a job by the beginning of its id. The latest attempt's name is in REPLY.
job::find() { # ID
    [[ $1 =~ ^[0-9a-f-]{4,36}(\.[0-9]+)?$ ]] || words::fail 64 "'$1' is not a job's id, nor 4 or more characters that begin one"
    local place path id name=
    for place in jobs released purged; do
        [[ $place != purged || ! $name ]] || break # there may be very many
        for path in "$SPOOL/$place/$1"*; do
            path=${path##*/}
            id=${path%.*}
            [[ ! $name || ${name%.*} == "$id" ]] || words::fail 64 "'$1' begins more than one job's id: ${name%.*}, $id"
            [[ $name ]] && ((${name##*.} > ${path##*.})) || name=$path
        done
    done
    [[ $name ]] || words::fail 66 "there is no job $1 here"
    REPLY=$name
}

# Waits for the end of a job, wherever it comes from; STATUS tells it. Healing goes on meanwhile.
job::await() { # NAME
    while :; do
        job::home "$1" || words::fail 66 "the job ${1%.*} is not here any more"
        ! job::status "$REPLY" || [[ ${STATUS[state]:-} != ended ]] || return 0
        dispatch::run
        journal::wait 2
    done
}
